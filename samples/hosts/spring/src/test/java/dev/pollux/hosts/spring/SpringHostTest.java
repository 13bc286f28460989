package dev.pollux.hosts.spring;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

class SpringHostTest {

    @Test
    void theApplicationStartsAndIsAnswered() {
        try (ConfigurableApplicationContext context = SpringApplication.run(SpringHost.class)) {
            assertThat(context.getBean("answer", String.class)).contains("Husum");
        }
    }
}
