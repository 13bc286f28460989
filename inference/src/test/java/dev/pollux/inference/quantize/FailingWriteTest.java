package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.StorageException;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Writes that fail in the middle, as on a full disk, in a JVM whose files the system keeps small. */
@EnabledOnOs(OS.LINUX)
class FailingWriteTest {

    private static final int FAILED = 7;

    @TempDir
    Path temp;

    /** In a JVM of its own: a model, a target and a method. Ends with 7 and the message if the files cannot be written. */
    public static void main(String[] args) {
        QuantizationRecipe recipe = QuantizationRecipe.builder()
                .method(QuantizationMethod.of(args[2]).orElseThrow())
                .blockSize(16)
                .build();
        try {
            OnnxQuantizer.create()
                    .quantize(Path.of(args[0]), Path.of(args[1]), recipe)
                    .run();
        } catch (StorageException e) {
            System.out.println(e.getMessage());
            System.exit(FAILED);
        }
    }

    @ParameterizedTest
    @CsvSource({"search, 1", "search, 6", "float16, 20", "int8, 2", "int8, 6"})
    void aWriteThatFailsLeavesNothingBehind(String method, int kibibytes) throws IOException, InterruptedException {
        Path model = temp.resolve("model");
        if (method.equals("int8")) {
            TinyCheckpoint.bert(model, "BertModel", "").tokenizer().write();
        } else {
            TinyDecoder.llama(3).write(model);
        }
        List<String> java = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                FailingWriteTest.class.getName(),
                model.toString(),
                temp.resolve("target").toString(),
                method);
        Process process = new ProcessBuilder(Stream.concat(
                                Stream.of("bash", "-c", "ulimit -f " + kibibytes + "; exec \"$@\"", "limited"),
                                java.stream())
                        .toList())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(told).isEqualTo(FAILED);
        assertThat(told).startsWith("Cannot ").contains("File too large");
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left).containsExactly(model);
        }
    }
}
