package dev.pollux.inference.hub;

import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A hub on this machine and an empty cache. */
abstract class HubTestCase {

    static final String SPEC = "hf:owner/name";
    static final int RANGE = 10_000;

    @TempDir
    Path temp;

    Path cache;
    FakeHub server;
    final List<Duration> slept = new CopyOnWriteArrayList<>();
    final List<String> notices = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        cache = temp.resolve("hub");
        server = new FakeHub();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** A clock that takes a moment for any time. */
    class Fast implements FileSystemAndClock {
        @Override
        public void sleep(Duration time) throws InterruptedException {
            slept.add(time);
            Thread.sleep(1);
        }
    }

    ModelHub.Builder builder() {
        return ModelHub.builder(Map.of(), temp)
                .endpoint(server.url())
                .cache(cache)
                .rangeBytes(RANGE)
                .surroundings(new Fast());
    }

    Path fetch(String spec) {
        return listened(builder().build().fetch(spec)).run();
    }

    <R> Job<R> listened(Job<R> job) {
        return job.onEvent(event -> {
            if (event instanceof JobEvent.Notice notice) {
                notices.add(notice.message());
            }
        });
    }

    /** A model in one safetensors file of {@code bytes} bytes. */
    byte[] model(int bytes) {
        byte[] weights = random(bytes);
        server.put("config.json", "{\"model_type\": \"llama\"}")
                .put("tokenizer.json", "{}")
                .put("model.safetensors", weights)
                .put("pytorch_model.bin", "the same again")
                .put("onnx/model.onnx", "and again");
        return weights;
    }

    static byte[] random(int bytes) {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return content;
    }

    Path folder() {
        return cache.resolve("models--owner--name");
    }

    Path snapshot() {
        return folder().resolve("snapshots").resolve(FakeHub.COMMIT);
    }

    Path blob(String hash) {
        return folder().resolve("blobs").resolve(hash);
    }

    /** The files and links below the cache, without the locks. */
    List<String> left() throws IOException {
        if (!Files.exists(cache)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(cache)) {
            return paths.filter(path -> !Files.isDirectory(path))
                    .map(path -> cache.relativize(path).toString().replace('\\', '/'))
                    .filter(path -> !path.startsWith(".locks/"))
                    .sorted()
                    .toList();
        }
    }
}
