package dev.pollux.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.Json;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class PolluxPropertiesTest {

    @Test
    void everyPropertyIsDescribedForEditors() throws IOException {
        Set<String> names = new TreeSet<>();
        collect("pollux", PolluxProperties.class, names);
        names.add("management.health.pollux.enabled");

        assertThat(described()).isEqualTo(names);
    }

    private static void collect(String prefix, Class<?> type, Set<String> names) {
        for (RecordComponent component : type.getRecordComponents()) {
            String name = prefix + "."
                    + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
            if (component.getType().isRecord()) {
                collect(name, component.getType(), names);
            } else {
                names.add(name);
            }
        }
    }

    private static Set<String> described() throws IOException {
        try (InputStream in =
                PolluxProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            Map<?, ?> metadata = (Map<?, ?>) Json.parse(ByteBuffer.wrap(in.readAllBytes()), "metadata");
            Set<String> names = new TreeSet<>();
            for (Object property : (List<?>) metadata.get("properties")) {
                Map<?, ?> entry = (Map<?, ?>) property;
                assertThat(entry.get("description").toString()).endsWith(".");
                assertThat(entry.get("type")).isNotNull();
                names.add(entry.get("name").toString());
            }
            return names;
        }
    }

    @Test
    void defaultsAreThoseOfTheDescription() {
        PolluxProperties defaults =
                new Binder(new MapConfigurationPropertySource()).bindOrCreate("pollux", PolluxProperties.class);

        assertThat(defaults.generator().maxTokens()).isEqualTo(512);
        assertThat(defaults.generator().model()).isNull();
        assertThat(defaults.knowledge().readOnly()).isFalse();
        assertThat(defaults.knowledge().documents()).isEmpty();
        assertThat(defaults.vectorStore().source()).isEqualTo("spring-ai");
        assertThat(defaults.shutdown().grace()).isEqualTo(Duration.ofSeconds(30));
    }
}
