package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models in jars, against a jar's folder that the test lays out. */
class EmbeddedModelTest {

    private static final byte[] WEIGHTS = "these are weights".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path jar;

    @TempDir
    Path cache;

    private final ClassLoader original = Thread.currentThread().getContextClassLoader();
    private URLClassLoader loader;

    @BeforeEach
    void layOut() throws Exception {
        manifest("tiny", "tiny.gguf", WEIGHTS.length, sha256(WEIGHTS));
        Files.write(jar.resolve("META-INF/pollux/models/tiny/tiny.gguf"), WEIGHTS);
        Files.writeString(jar.resolve("META-INF/pollux/models/index"), "# Aggregated\ntiny\n\n");
        loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, original);
        Thread.currentThread().setContextClassLoader(loader);
    }

    @AfterEach
    void restore() throws IOException {
        Thread.currentThread().setContextClassLoader(original);
        loader.close();
    }

    private void manifest(String name, String file, long bytes, String sha256) throws IOException {
        manifest(name, file, bytes, sha256, "");
    }

    private void manifest(String name, String file, long bytes, String sha256, String base) throws IOException {
        Path folder = Files.createDirectories(jar.resolve("META-INF/pollux/models/" + name));
        Files.writeString(folder.resolve("model.json"), """
                {"name": "%s", "title": "Tiny", "file": "%s", "bytes": %d, "sha256": "%s", "license": "Apache-2.0",
                 "base": "%s"}
                """.formatted(name, file, bytes, sha256, base));
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    @Test
    void anAdapterIsFoundWithItsBaseAndIsNoModel() throws Exception {
        manifest("tiny-lora", "lora.gguf", WEIGHTS.length, sha256(WEIGHTS), "tiny"); // in no index
        Files.write(jar.resolve("META-INF/pollux/models/tiny-lora/lora.gguf"), WEIGHTS);
        assertThat(EmbeddedModel.named("tiny-lora").base()).contains("tiny");
        assertThat(EmbeddedModel.named("tiny").base()).isEmpty();
        assertThat(ModelLocator.locatingAdapter("tiny-lora", cache).run()).hasBinaryContent(WEIGHTS);
        assertThat(ModelLocator.locatingAdapter("some/folder", cache).run()).isEqualTo(Path.of("some/folder"));
        assertThatThrownBy(() -> ModelLocator.locating("tiny-lora", cache))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("tiny-lora is an adapter of tiny; name the model tiny and this as its adapter");
        assertThatThrownBy(() -> ModelLocator.locatingAdapter("tiny", cache))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("tiny is a model, not an adapter; name it as the model");
    }

    @Test
    void namesListsEveryModelOnTheClassPath() {
        assertThat(EmbeddedModel.names())
                .contains("tiny", "smollm2-135m-instruct")
                .noneMatch(name -> name.contains("#"));
    }

    @Test
    void unpackVerifiesAndUnpacksOnce() throws IOException {
        Path file = EmbeddedModel.named("tiny").unpack(cache).run();
        assertThat(file).hasBinaryContent(WEIGHTS).hasFileName("tiny.gguf");
        FileTime time = FileTime.fromMillis(1_000_000_000_000L);
        Files.setLastModifiedTime(file, time);
        assertThat(EmbeddedModel.named("tiny").unpack(cache).run()).isEqualTo(file);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(time);
    }

    @Test
    void aCutFileInTheCacheIsUnpackedAgain() throws IOException {
        Path file = EmbeddedModel.named("tiny").unpack(cache).run();
        Files.write(file, new byte[] {1});
        assertThat(EmbeddedModel.named("tiny").unpack(cache).run()).hasBinaryContent(WEIGHTS);
    }

    @Test
    void damagedWeightsAreRefusedAndLeaveNothing() throws Exception {
        String wrong = sha256(new byte[] {0});
        manifest("tiny", "tiny.gguf", WEIGHTS.length, wrong);
        assertThatThrownBy(() -> EmbeddedModel.named("tiny").unpack(cache).run())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("Embedded model tiny must have 17 bytes and SHA-256 " + wrong + " but has 17 and "
                        + sha256(WEIGHTS) + "; download its jar again");
        try (Stream<Path> left = Files.walk(cache).filter(Files::isRegularFile)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void cancelledUnpackingLeavesNothing() throws IOException {
        Job<Path> job = EmbeddedModel.named("tiny").unpack(cache);
        job.onEvent(event -> {
            if (event instanceof JobEvent.Started) {
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        try (Stream<Path> left = Files.walk(cache).filter(Files::isRegularFile)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aFileNameThatLeavesTheCacheIsRefused() throws Exception {
        manifest("tiny", "../../evil", WEIGHTS.length, sha256(WEIGHTS));
        assertThatThrownBy(() -> EmbeddedModel.named("tiny"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("file of an embedded model must match")
                .hasMessageContaining("but was ../../evil");
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        assertThatThrownBy(() -> EmbeddedModel.named("none"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("No embedded model 'none' on the class path, only " + EmbeddedModel.names()
                        + "; add the dependency dev.pollux:pollux-model-none");
    }
}
