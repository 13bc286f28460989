package dev.pollux.hosts.spring;

import dev.pollux.hosts.Application;
import java.io.IOException;
import java.nio.file.Files;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A Spring Boot application whose context asks Pollux a question. */
@SpringBootApplication
public class SpringHost {

    public static void main(String[] args) {
        SpringApplication.run(SpringHost.class, args);
    }

    /** What Pollux answered. */
    @Bean
    String answer() throws IOException {
        return Application.answer(Files.createTempDirectory("pollux-host"));
    }
}
