package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.pollux.PolluxException;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The same checkpoint gives the same bytes in every JVM, and the bytes that are on record.
 *
 * <p>The record is {@code exports.sha256} in the test resources: a line for each export, its hash, then its key, the hash of
 * the checkpoint and the form. A checkpoint that is not in it is skipped. It is written anew for all reference checkpoints
 * that are found, the lines of others kept, with
 *
 * <pre>{@code
 * mvn -pl inference -am test -Dtest=ReproducibleExportTest -Dsurefire.failIfNoSpecifiedTests=false -Dpollux.exports.record=true
 * }</pre>
 */
@NoLeaks
class ReproducibleExportTest {

    private static final String RECORD = "dev/pollux/inference/functional/exports.sha256";
    private static final boolean RECORDING = Boolean.getBoolean("pollux.exports.record");
    private static final Map<String, String> KNOWN = known();

    @TempDir
    Path folder;

    static List<Path> reference() {
        List<Path> found = Exports.reference();
        assumeFalse(found.isEmpty(), "there is no reference checkpoint");
        return found;
    }

    @ParameterizedTest
    @MethodSource("reference")
    void anExportHasTheBytesThatAreOnRecord(Path checkpoint) throws IOException {
        String content = Exports.content(checkpoint);
        Path copy = copy(checkpoint); // since a name in the manifest is that of the folder
        List<String> forms = Exports.forms(copy);
        if (RECORDING) {
            forms.forEach(form -> record(copy, content, form));
            return;
        }
        List<String> known = forms.stream()
                .filter(form -> KNOWN.containsKey(content + " " + form))
                .toList();
        assumeFalse(known.isEmpty(), "no export of " + checkpoint + " is on record");
        for (String form : known) {
            assertThat(hash(copy, form)).as("%s as %s", checkpoint, form).isEqualTo(KNOWN.get(content + " " + form));
        }
    }

    private void record(Path copy, String content, String form) {
        try {
            KNOWN.put(content + " " + form, hash(copy, form));
        } catch (PolluxException e) { // what cannot be exported has no line
            KNOWN.remove(content + " " + form);
        }
    }

    private String hash(Path copy, String form) {
        Path target = folder.resolve(form);
        Exports.write(copy, form, target);
        return Exports.sha256(Exports.files(target));
    }

    private Path copy(Path checkpoint) throws IOException {
        if (Files.isRegularFile(checkpoint)) {
            return Files.copy(checkpoint, folder.resolve("checkpoint.gguf"));
        }
        Path copy = Files.createDirectory(folder.resolve("checkpoint"));
        for (Path file : Exports.files(checkpoint)) {
            Files.copy(file, copy.resolve(file.getFileName()));
        }
        return copy;
    }

    @AfterAll
    static void writeRecord() throws IOException {
        if (RECORDING) {
            List<String> lines = new ArrayList<>();
            KNOWN.forEach((key, hash) -> lines.add(hash + " " + key));
            Files.write(Path.of(System.getProperty("basedir"), "src/test/resources", RECORD), lines);
        }
    }

    private static Map<String, String> known() {
        Map<String, String> known = new TreeMap<>();
        Path record = Path.of(System.getProperty("basedir", ""), "src/test/resources", RECORD);
        try (Stream<String> lines = Files.isRegularFile(record) ? Files.lines(record) : Stream.empty()) {
            lines.forEach(
                    line -> known.put(line.substring(line.indexOf(' ') + 1), line.substring(0, line.indexOf(' '))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return known;
    }

    @Test
    void twoVirtualMachinesWriteTheSameBytes() throws Exception {
        List<Path> checkpoints = new ArrayList<>();
        checkpoints.add(TinyCheckpoint.bert(Files.createDirectory(folder.resolve("bert")), "BertModel", "")
                .write()
                .folder());
        checkpoints.add(tinyLlama(Files.createDirectory(folder.resolve("llama"))));
        Exports.reference().stream().filter(Files::isDirectory).forEach(checkpoints::add);
        Path one = folder.resolve("one");
        Path other = folder.resolve("other");
        Process first = start(one, checkpoints);
        Process second = start(other, checkpoints);
        for (Process process : List.of(first, second)) {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        }
        assertThat(tree(one))
                .isEqualTo(tree(other))
                .contains(Path.of("1/encoder-BITS_8/model.onnx"), Path.of("2/decoder-BITS_4/pollux.json"));
        for (Path file : tree(one)) {
            if (Files.isRegularFile(one.resolve(file))) {
                assertThat(one.resolve(file)).hasSameBinaryContentAs(other.resolve(file));
            }
        }
    }

    /** A decoder with a head and biases for none of its matrices. */
    private static Path tinyLlama(Path folder) {
        TinyCheckpoint inner = TinyCheckpoint.decoder(folder, "LlamaForCausalLM");
        return inner.renamed(folder, name -> "model." + name)
                .set("tie_word_embeddings", true)
                .write()
                .folder();
    }

    private static Process start(Path target, List<Path> checkpoints) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Exports.class.getName(),
                target.toString()));
        checkpoints.forEach(checkpoint -> command.add(checkpoint.toString()));
        return new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static List<Path> tree(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(root::relativize).sorted().toList();
        }
    }
}
