package dev.pollux.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTest {

    @Test
    void everyKindOfValueIsRead() {
        assertThat(parse(" {\"a\": [1, -2.5, 1e3, true, false, null, \"x\"], \"b\": {}, \"c\": []}\r\n\t"))
                .isEqualTo(Map.of(
                        "a",
                        List.of(1L, -2.5, 1000.0, true, false, Optional.empty(), "x"),
                        "b",
                        Map.of(),
                        "c",
                        List.of()));
    }

    @Test
    void keysKeepTheirOrder() {
        assertThat(((Map<?, ?>) parse("{\"z\":1,\"a\":2,\"m\":3}")).keySet().toString())
                .isEqualTo("[z, a, m]");
    }

    @Test
    void escapesAreResolved() {
        assertThat(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00é\""))
                .isEqualTo("\"\\/\b\f\n\r\té😀é");
    }

    @Test
    void wholeNumbersAreExact() {
        assertThat(parse("9223372036854775807")).isEqualTo(Long.MAX_VALUE);
        assertThat(parse("-9223372036854775808")).isEqualTo(Long.MIN_VALUE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | it ends early",
                "[1 | it ends early",
                "[1,] | expected a value",
                "[1 2] | expected ']'",
                "{\"a\" 1} | expected ':'",
                "{a:1} | expected '\"'",
                "{\"a\":1,\"a\":2} | key 'a' occurs twice",
                "01 | expected a value",
                "1. | expected a value",
                "+1 | expected a value",
                "NaN | expected a value",
                "nul | it ends early",
                "99999999999999999999 | the number 99999999999999999999 is too large",
                "\"\\x\" | unknown escape \\x",
                "\"\\u12g4\" | \\u needs four hex digits",
                "true false | something follows the value",
            })
    void whatIsNotJsonIsAnErrorThatSaysWhy(String text, String why) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("head.json is not valid JSON: " + why + " (character ");
    }

    @Test
    void theErrorNamesTheCharacter() {
        assertThatThrownBy(() -> parse("[1 2]")).hasMessage("head.json is not valid JSON: expected ']' (character 4)");
        assertThatThrownBy(() -> parse("\"a\nb\""))
                .hasMessage("head.json is not valid JSON: a string contains a control character (character 3)");
        assertThatThrownBy(() -> parse("\uFEFF1"))
                .hasMessage("head.json is not valid JSON: expected a value (character 0)");
    }

    @Test
    void deepNestingIsRefusedAndNotFollowed() {
        assertThatThrownBy(() -> parse("[".repeat(1_000_000)))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("head.json is not valid JSON: values are nested deeper than 64 (character 65)");
        assertThat(parse("[".repeat(65) + "]".repeat(65))).isInstanceOf(List.class);
    }

    @Test
    void theNumberOfValuesIsBounded() {
        assertThatThrownBy(() -> parse("[" + "0,".repeat(5_000_000) + "0]"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("head.json is not valid JSON: it holds more than 4194304 values");
    }

    @Test
    void brokenUtf8IsRefused() {
        assertThatThrownBy(() -> Json.parse(ByteBuffer.wrap(new byte[] {'"', (byte) 0xc3, '"'}), "head.json"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("head.json is not UTF-8");
    }

    private static Object parse(String text) {
        return Json.parse(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), "head.json");
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("quote \" and \\", "line\n tab\t bell\u0007 \u2028 \ud83d\ude00");
        value.put("numbers", List.of(1L, -3L, 0.25, true));
        value.put("empty", List.of(Map.of(), List.of(), ""));

        String text = Json.text(value);

        assertThat(text).doesNotContain("\n").doesNotContain("\t");
        assertThat(Json.parse(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), "test"))
                .isEqualTo(value);
    }

    @Test
    void halfOfASurrogatePairIsEscaped() {
        assertThat(Json.text("a\ud83d")).isEqualTo("\"a\\uD83D\"");
    }

    @Test
    void aValueThatJsonCannotWriteIsRefused() {
        assertThatThrownBy(() -> Json.text(List.of(Double.NaN)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "a value of JSON must be a map, list, text, finite number, truth value or empty but was NaN");
    }
}
