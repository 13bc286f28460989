package dev.pollux.hosts.lean;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The packed application: what is in it, and that it runs. */
class LeanHostTest {

    private static final Path BASE = Path.of(System.getProperty("basedir"));

    @TempDir
    Path temp;

    @Test
    void theJarHasTheLibrariesOfOnePlatformAndNoModel() throws IOException {
        try (JarFile jar = new JarFile(jar().toFile())) {
            List<String> names = jar.stream()
                    .filter(entry -> !entry.isDirectory())
                    .map(ZipEntry::getName)
                    .toList();
            assertThat(names)
                    .filteredOn(name -> name.startsWith("ai/onnxruntime/native/") || name.startsWith("native/lib/"))
                    .containsExactlyInAnyOrder(
                            "ai/onnxruntime/native/linux-x64/libonnxruntime.so",
                            "ai/onnxruntime/native/linux-x64/libonnxruntime4j_jni.so",
                            "native/lib/linux-x86_64/cpu/libtokenizers.so",
                            "native/lib/tokenizers.properties");
            assertThat(names)
                    .noneMatch(name -> name.startsWith("META-INF/pollux/models/"))
                    .noneMatch(name -> name.matches(".*\\.(onnx|gguf|safetensors)"));
        }
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "the jar is for this platform")
    void theJarRunsWithModelsOfItsOwn() throws Exception {
        Path model = TinyDecoder.llama(1).write(temp.resolve("model"));
        Path documents = Files.createDirectories(temp.resolve("documents"));
        Files.writeString(documents.resolve("boat.md"), "# The boat\n\nThe boat is called Heron.\n");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dpollux.cache=" + temp.resolve("cache"),
                        "-jar",
                        jar().toString(),
                        model.toString(),
                        documents.toString(),
                        temp.resolve("knowledge").toString(),
                        "What is the boat called?")
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(out).isZero();
        assertThat(out)
                .contains("found: ")
                .contains("The boat is called Heron.")
                .contains("tokens: 2");
    }

    @Test
    void theDocumentsHaveWhatThisBuildHas() throws IOException {
        String pom = spaceless(BASE.resolve("pom.xml"));
        String hosting = Files.readString(BASE.resolve("../../../docs/hosting.md"));
        String section = hosting.substring(hosting.indexOf("## What can be left out"));
        Matcher blocks =
                Pattern.compile("(?s)```xml\n(.*?)```").matcher(section.substring(0, section.indexOf("\n## ")));

        assertThat(blocks.results().map(block -> block.group(1).replaceAll("\\s+", "")))
                .hasSize(2)
                .allMatch(pom::contains);
    }

    private static String spaceless(Path file) throws IOException {
        return Files.readString(file).replaceAll("\\s+", "");
    }

    private static Path jar() throws IOException {
        try (Stream<Path> files = Files.list(BASE.resolve(System.getProperty("pollux.target", "target")))) {
            return files.filter(file -> file.toString().endsWith("-lean.jar"))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
