package dev.pollux.hosts.springai;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

class SpringAiHostTest {

    @TempDir
    static Path temp;

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @Test
    void theApplicationStartsAndIsQueried() throws Exception {
        Path documents = Files.createDirectories(temp.resolve("documents"));
        Files.writeString(
                documents.resolve("boat.md"),
                "# The boat\n\nThe boat is called Heron. It lies in the harbour of Husum from April to October.\n");
        try (ConfigurableApplicationContext context = SpringApplication.run(
                SpringAiHost.class,
                "--server.port=0",
                "--pollux.knowledge.folder=" + temp.resolve("knowledge"),
                "--pollux.knowledge.documents=" + documents)) {
            String base = "http://localhost:" + context.getEnvironment().getProperty("local.server.port");

            assertThat(get(base + "/ask?question=" + encoded("In which harbour does the boat lie?")))
                    .contains("Husum");
            assertThat(get(base + "/chat?message=" + encoded("Write one sentence about boats.")))
                    .isNotBlank();
            assertThat(get(base + "/stream?message=" + encoded("Write one sentence about boats.")))
                    .startsWith("data:");
            send(HttpRequest.newBuilder(URI.create(base + "/notes"))
                    .POST(HttpRequest.BodyPublishers.ofString("The plum tree was planted in 1998."))
                    .build());
            assertThat(get(base + "/notes?query=plum")).contains("1998");
            assertThat(get(base + "/actuator/health"))
                    .contains("\"pollux\"")
                    .contains("\"status\":\"UP\"")
                    .contains("\"passages\":2");
        }
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String get(String url) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url)).build());
    }

    private static String send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode())
                .as("%s: %s", request.uri(), response.body())
                .isEqualTo(200);
        return response.body();
    }
}
