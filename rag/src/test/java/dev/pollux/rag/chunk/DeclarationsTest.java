package dev.pollux.rag.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.Json;
import dev.pollux.internal.text.Lines;
import dev.pollux.internal.text.Reading;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class DeclarationsTest {

    private static final Map<String, String> TYPES = Map.of("java", "text/x-java", "py", "text/x-python");

    @TestFactory
    Stream<DynamicTest> everyDeclarationOfTheReferenceFilesIsFound() throws IOException {
        Path golden = ReferenceData.golden("documents");
        Path manifest = golden.resolve("manifest.json");
        Map<?, ?> files = (Map<?, ?>) Json.parse(ByteBuffer.wrap(Files.readAllBytes(manifest)), "manifest.json");
        return files.entrySet().stream()
                .filter(file -> ((Map<?, ?>) file.getValue()).containsKey("declarations"))
                .map(file -> DynamicTest.dynamicTest(
                        file.getKey().toString(),
                        () -> check(golden.resolve(file.getKey().toString()), (List<?>)
                                ((Map<?, ?>) file.getValue()).get("declarations"))));
    }

    private static void check(Path file, List<?> expected) throws IOException {
        String name = file.getFileName().toString();
        String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        assertThat(described(Files.readString(file), type))
                .containsAll(expected.stream()
                        .map(Object::toString)
                        .map(text -> text.replace("[function, ", "[method, "))
                        .toList());
    }

    /** Kind, name and lines; a function in a class may be called a method. */
    private static List<String> described(String code, String type) {
        return Declarations.of(code, type, new Lines(code)).stream()
                .map(found -> "[" + (found.kind().equals("function") ? "method" : found.kind()) + ", " + found.name()
                        + ", " + found.firstLine() + ", " + found.lastLine() + "]")
                .toList();
    }

    @Test
    void goHasFunctionsMethodsAndTypes() {
        String code = "package a\n\n// Log keeps readings.\ntype Log struct {\n\tvalues []float64\n}\n\n"
                + "func (l *Log) Mean(xs []int) float64 {\n\tif true {\n\t}\n\treturn 0\n}\n\nfunc main() {\n}\n";

        assertThat(described(code, "text/x-go"))
                .containsExactly("[struct, Log, 3, 6]", "[method, Mean, 8, 12]", "[method, main, 14, 15]");
    }

    @Test
    void rustHasImplementationsWithLifetimes() {
        String code = "#[derive(Debug)]\npub struct Log<'a> {\n    x: &'a str,\n}\n\nimpl<'a> Log<'a> {\n"
                + "    /// Mean.\n    pub fn mean(&self) -> char {\n        '}'\n    }\n}\n";

        assertThat(described(code, "text/x-rust"))
                .containsExactly("[struct, Log, 1, 4]", "[impl, Log, 6, 11]", "[method, mean, 7, 10]");
    }

    @Test
    void javascriptHasClassesFunctionsAndArrows() {
        String code = "class Log {\n  constructor(a) { this.a = a }\n  mean() {\n    return `}`\n  }\n}\n\n"
                + "function main() {\n  if (1) { }\n}\n\nconst half = (x) => {\n  return x / 2\n}\n";

        assertThat(described(code, "text/x-javascript"))
                .containsExactly(
                        "[class, Log, 1, 6]",
                        "[constructor, constructor, 2, 2]",
                        "[method, mean, 3, 5]",
                        "[method, main, 8, 10]",
                        "[method, half, 12, 14]");
    }

    @Test
    void partsOfCodeHaveTheWholeTextAndTheNamesAroundThem() {
        String code =
                "import a;\n\nclass Outer {\n    int x;\n\n    void one() {\n        x++;\n    }\n\n    void two() {}\n}\n";
        List<Part> parts = CodeParts.of(Reading.of(code, "text/x-java"), "text/x-java");

        assertThat(String.join(
                        "",
                        parts.stream()
                                .map(part -> code.substring(part.start(), part.end()))
                                .toList()))
                .isEqualTo(code);
        assertThat(parts).anySatisfy(part -> {
            assertThat(code.substring(part.start(), part.end())).startsWith("    void one()");
            assertThat(part.path()).extracting(heading -> heading.title()).containsExactly("Outer", "one");
        });
    }

    @Test
    void aFileWithoutBracesHasNoDeclarations() {
        assertThat(described("}}}} '{' \"unclosed\n/* never closed {", "text/x-java"))
                .isEmpty();
        assertThat(described("def", "text/x-python")).isEmpty();
    }
}
