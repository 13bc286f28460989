package dev.pollux.samples.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Runs the code cells of every notebook in order, as a kernel does: with JShell, in the notebook's folder. */
class NotebooksTest {

    private static final Path ROOT =
            Path.of(System.getProperty("pollux.root", "..")).toAbsolutePath().normalize();
    private static final Path JSHELL = Path.of(System.getProperty("java.home"), "bin", "jshell");
    private static final String END = "the last cell has run";

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> everyNotebookRuns() throws IOException {
        assumeThat(Files.isExecutable(JSHELL)).as("%s is there", JSHELL).isTrue();
        try (Stream<Path> files = Files.list(ROOT.resolve("samples/notebooks"))) {
            return files.filter(file -> file.toString().endsWith(".ipynb")).sorted().toList().stream()
                    .map(file -> dynamicTest(file.getFileName().toString(), () -> run(file)));
        }
    }

    private void run(Path notebook) throws IOException, InterruptedException {
        Path script = temp.resolve("cells.jsh");
        Path output = temp.resolve("output.txt");
        List<String> cells = cells(notebook);
        assertThat(cells).isNotEmpty();
        Files.writeString(script, String.join("\n", cells) + "\nSystem.out.println(\"" + END + "\");\n/exit\n");

        Process jshell = new ProcessBuilder(command(script))
                .directory(notebook.getParent().toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        jshell.getOutputStream().close();
        int status = jshell.waitFor();

        String printed = Files.readString(output);
        assertThat(status).as(printed).isZero();
        assertThat(printed).contains(END).doesNotContain("Error:").doesNotContain("Exception");
    }

    private List<String> command(Path script) {
        return List.of(
                JSHELL.toString(),
                "-s",
                "--class-path",
                System.getProperty("java.class.path"),
                "-R-Dpollux.cache="
                        + System.getProperty(
                                "pollux.cache", temp.resolve("cache").toString()),
                script.toString());
    }

    /** The code of the cells, without the magics of kernels. */
    private static List<String> cells(Path notebook) throws IOException {
        JsonNode json = JsonNode.parse(Files.readString(notebook));
        List<String> cells = new ArrayList<>();
        for (JsonNode cell : json.path("cells")) {
            if (cell.path("cell_type").asString().equals("code")) {
                StringBuilder code = new StringBuilder();
                for (JsonNode line : cell.path("source")) {
                    code.append(line.asString().startsWith("%") ? "" : line.asString());
                }
                cells.add(code.toString());
            }
        }
        return cells;
    }
}
