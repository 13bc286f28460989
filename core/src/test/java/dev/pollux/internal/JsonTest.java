package dev.pollux.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class JsonTest {

    @Test
    void valuesOfEveryKindAreRead() {
        assertThat(parse(" {\"a\": [1, -2.5, 1e3, true, false, null, \"x\\n\\u00e9\\\"\"], \"b\": {}, \"c\":[]} "))
                .isEqualTo(Map.of(
                        "a", List.of(1L, -2.5, 1000.0, true, false, Optional.empty(), "x\né\""),
                        "b", Map.of(),
                        "c", List.of()));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "`{\"a\":1,\"a\":2}`, `key 'a' stands twice (character 12)`",
                "`[1,]`, `expected a value (character 3)`",
                "`[01]`, `expected a value (character 3)`",
                "`[1] 2`, `something follows the value (character 4)`",
                "`[1 2]`, `expected ']' (character 4)`",
                "`\"a`, `it ends early (character 2)`",
                "`\"\\x\"`, `unknown escape \\x (character 3)`",
                "`\"\\u12g4\"`, `\\u needs four hex digits (character 6)`",
                "`tru`, `it ends early (character 3)`",
                "`12345678901234567890`, `the number 12345678901234567890 is too large (character 20)`",
            })
    void damageIsNamedWithItsPlace(String json, String why) {
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("x is not valid JSON: " + why);
    }

    @Test
    void depthAndNumberOfValuesAreBounded() {
        assertThatThrownBy(() -> parse("[".repeat(1_000_000)))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("x is not valid JSON: values are nested deeper than 64 (character 65)");
        assertThatThrownBy(() -> parse("[" + "0,".repeat(5_000_000) + "0]"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("x is not valid JSON: it holds more than 4194304 values");
    }

    @Test
    void whatIsNotUtf8IsRefused() {
        assertThatThrownBy(() -> Json.parse(ByteBuffer.wrap(new byte[] {'"', (byte) 0xff, '"'}), "x"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("x is not UTF-8");
    }

    private static Object parse(String json) {
        return Json.parse(ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)), "x");
    }
}
