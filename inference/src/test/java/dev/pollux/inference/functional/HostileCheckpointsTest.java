package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.PolluxException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged checkpoints, none of which is a model: each gets its error in a JVM that has 256 MB for everything. */
class HostileCheckpointsTest {

    private static final List<String> HOSTILE_SETTINGS = List.of(
            ", \"num_hidden_layers\": 2000000000",
            ", \"hidden_size\": 2147483647",
            ", \"hidden_size\": -1",
            ", \"vocab_size\": 1e300",
            ", \"max_position_embeddings\": 9223372036854775807",
            ", \"head_dim\": 2147483646",
            ", \"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 0}",
            ", \"architectures\": [\"" + "A".repeat(1 << 20) + "\"]",
            ", \"architectures\": " + "[".repeat(100_000) + "]".repeat(100_000),
            ", \"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 0}");

    @TempDir
    Path temp;

    /** Opens what the arguments name, one after the other, and prints what became of each. */
    static final class Opener {

        private Opener() {}

        public static void main(String[] paths) {
            for (String path : paths) {
                long begin = System.nanoTime();
                String result;
                try (Checkpoint checkpoint = Checkpoint.open(Path.of(path))) {
                    DecoderExport.preview(checkpoint, ExportOptions.DEFAULTS);
                    result = "accepted";
                } catch (PolluxException e) {
                    result = e.getMessage().isBlank() ? "says nothing" : "refused";
                } catch (Throwable e) {
                    result = e.toString();
                }
                System.out.println(result + " in " + (System.nanoTime() - begin) / 1_000_000 + " ms: " + path);
            }
        }
    }

    @Test
    void eachIsRefusedInLittleMemory() throws Exception {
        List<String> paths = new ArrayList<>();
        try (Stream<Path> files = Files.list(ReferenceData.golden("gguf").resolve("malformed-gguf"))) {
            files.filter(file -> file.toString().endsWith(".gguf"))
                    .sorted()
                    .forEach(file -> paths.add(file.toString()));
        }
        try (Stream<Path> files = Files.list(ReferenceData.golden("gguf").resolve("malformed-safetensors"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".safetensors"))
                    .sorted()
                    .toList()) {
                paths.add(folder(file.getFileName().toString(), file, "").toString());
            }
        }
        Path sound = ReferenceData.golden("gguf").resolve("malformed-safetensors/valid.safetensors");
        for (int i = 0; i < HOSTILE_SETTINGS.size(); i++) {
            paths.add(folder("settings-" + i, sound, HOSTILE_SETTINGS.get(i)).toString());
        }
        List<String> results = open(paths);
        assertThat(results).hasSameSizeAs(paths);
        assertThat(results).allSatisfy(result -> assertThat(result).startsWith("refused in "));
    }

    private Path folder(String name, Path weights, String settings) throws IOException {
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.copy(weights, folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("config.json"), """
            {"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 40, "vocab_size": 50, "eos_token_id": 2%s}
            """.formatted(settings));
        return folder;
    }

    private List<String> open(List<String> paths) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:MaxDirectMemorySize=64m",
                "-cp",
                System.getProperty("java.class.path"),
                Opener.class.getName()));
        command.addAll(paths);
        Path out = temp.resolve("out");
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(out)).isZero();
        return Files.readAllLines(out);
    }
}
