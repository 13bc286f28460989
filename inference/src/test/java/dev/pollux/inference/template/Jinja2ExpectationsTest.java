package dev.pollux.inference.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The language, held to tables of templates and what Jinja2 makes of them; their README says how they were made. */
class Jinja2ExpectationsTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-15T12:00:00Z"), ZoneOffset.UTC);

    @TestFactory
    Stream<DynamicTest> values() throws IOException {
        return cases("values.txt");
    }

    @TestFactory
    Stream<DynamicTest> operators() throws IOException {
        return cases("operators.txt");
    }

    @TestFactory
    Stream<DynamicTest> statements() throws IOException {
        return cases("statements.txt");
    }

    @TestFactory
    Stream<DynamicTest> whitespace() throws IOException {
        return cases("whitespace.txt");
    }

    @TestFactory
    Stream<DynamicTest> filtersAndTests() throws IOException {
        return cases("filters-and-tests.txt");
    }

    @TestFactory
    Stream<DynamicTest> methods() throws IOException {
        return cases("methods.txt");
    }

    private static Stream<DynamicTest> cases(String table) throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        List<String> template = new ArrayList<>();
        List<String> output = new ArrayList<>();
        for (String line : lines(table)) {
            boolean begins = line.startsWith("T|") && !output.isEmpty();
            if (begins) {
                tests.add(test(template, output));
                template.clear();
                output.clear();
            }
            (line.startsWith("T|") ? template : output).add(line);
        }
        tests.add(test(template, output));
        return tests.stream();
    }

    private static List<String> lines(String table) throws IOException {
        try (InputStream in = Jinja2ExpectationsTest.class.getResourceAsStream(table)) {
            byte[] bytes = Objects.requireNonNull(in, table).readAllBytes();
            return List.of(new String(bytes, StandardCharsets.UTF_8).split("\n"));
        }
    }

    private static DynamicTest test(List<String> templateLines, List<String> outputLines) {
        String template = text(templateLines);
        if (outputLines.get(0).equals("!")) {
            return DynamicTest.dynamicTest(
                    template, () -> assertThatThrownBy(() -> render(template)).isInstanceOf(TemplateException.class));
        }
        String output = text(outputLines);
        return DynamicTest.dynamicTest(
                template, () -> assertThat(render(template)).isEqualTo(output));
    }

    private static String text(List<String> lines) {
        return String.join(
                "\n",
                lines.stream().map(line -> line.substring(2, line.length() - 1)).toList());
    }

    private static String render(String template) {
        ChatTemplate.Input input = ChatTemplate.Input.builder()
                .bosToken("<s>")
                .eosToken("</s>")
                .variables(variables())
                .clock(CLOCK)
                .build();
        return ChatTemplate.parse(template).render(input);
    }

    private static Map<String, Object> variables() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("s", "Hello, World");
        all.put("n", 7);
        all.put("f", 2.5);
        all.put("neg", -3);
        all.put("xs", List.of(3, 1, 2));
        all.put("words", List.of("b", "A", "c"));
        all.put("d", map("b", 1, "a", List.of(1, 2), "C", null));
        all.put(
                "users",
                List.of(
                        map("name", "Ann", "age", 30, "city", "X", "active", true),
                        map("name", "bob", "age", 20, "city", "y"),
                        map("name", "Cid", "age", 30, "city", "x", "active", false)));
        all.put("empty", List.of());
        all.put("t", true);
        all.put("none_", null);
        all.put("emoji", "a🙂é日");
        all.put("html", "<a href=\"x\">'&'</a>");
        all.put("tree", List.of(map("v", 1, "c", List.of(map("v", 2, "c", List.of(map("v", 3))))), map("v", 4)));
        all.put("ml", "one\ntwo\n\n three \n");
        all.put("items_d", map("items", "own", "keys", 1));
        return all;
    }

    private static Map<String, Object> map(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
