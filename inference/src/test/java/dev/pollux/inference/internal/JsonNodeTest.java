package dev.pollux.inference.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonNodeTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"rms_norm_eps\":1e-05,\"rope_theta\":10000.0,\"z\":-0.0,\"a\":1E+2}",
                "[0.1,0.10,123456789012345678901234567890,9007199254740993,-5]",
                "{\"limit\":[0.0,Infinity],\"other\":[-Infinity,NaN]}",
                "[true,false,null,\"\",{},[]]",
                "[1e400,1e-400,4.9E-324]",
                "{\"quote\":\"\\\"\\\\ \\u0001 é 🤖\"}"
            })
    void aValueIsWrittenWithTheCharactersItWasReadFrom(String text) {
        assertThat(JsonNode.parse(text)).hasToString(text);
    }

    @Test
    void whatIsIndentedHasAPairALineAndReadsTheSame() {
        JsonNode tree = JsonNode.parse("{\"a\":[1,{\"b\":{}}],\"c\":1e-05}");

        assertThat(tree.toPrettyString()).isEqualTo("{\n  \"a\" : [ 1, {\n    \"b\" : { }\n  } ],\n  \"c\" : 1e-05\n}");
        assertThat(JsonNode.parse(tree.toPrettyString())).isEqualTo(tree);
    }

    @Test
    void keysKeepTheirOrderAndTheLastValueOfARepeatedKeyCounts() {
        JsonNode tree = JsonNode.parse("{\"b\":1,\"a\":2,\"b\":3}");

        assertThat(tree).hasToString("{\"b\":3,\"a\":2}");
        assertThat(tree.propertyNames()).containsExactly("b", "a");
    }

    @Test
    void aPathThatLeadsNowhereIsMissing() {
        JsonNode tree = JsonNode.parse("{\"a\":[7],\"n\":null}");

        assertThat(tree.path("a").path(0).asInt()).isEqualTo(7);
        assertThat(tree.path("a").path(1).isMissingNode()).isTrue();
        assertThat(tree.path("a").path(-1).isMissingNode()).isTrue();
        assertThat(tree.path("x").path("y").path(3).isMissingNode()).isTrue();
        assertThat(tree.get("x")).isNull();
        assertThat(tree.has("n")).isTrue();
        assertThat(tree.hasNonNull("n")).isFalse();
        assertThat(tree.path("x").shown()).isEqualTo("absent");
        assertThat(tree.path("x")).hasToString("").isNotEqualTo(tree.path("n"));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            value = {
                "5, 5, 5, 5.0",
                "5000000000, -7, 5000000000, 5.0e9",
                "123456789012345678901234567890, -7, -7, 1.2345678901234568e29",
                "-1.9, -1, -1, -1.9",
                "1e300, -7, -7, 1e300",
                "NaN, -7, -7, NaN",
                "Infinity, -7, -7, Infinity",
                "'\"12\"', 12, 12, 12",
                "'\"1.5\"', -7, -7, 1.5",
                "'\"x\"', -7, -7, -7",
                "true, -7, -7, -7",
                "null, -7, -7, -7",
                "'{}', -7, -7, -7",
                "'[1]', -7, -7, -7"
            })
    void aValueIsConvertedOrTheFallbackIsGiven(String text, int asInt, long asLong, double asDouble) {
        JsonNode value = JsonNode.parse(text);

        assertThat(value.asInt(-7)).isEqualTo(asInt);
        assertThat(value.asLong(-7)).isEqualTo(asLong);
        assertThat(Double.valueOf(value.asDouble(-7))).isEqualTo(Double.valueOf(asDouble));
    }

    @Test
    void aValueThatCannotBeConvertedIsMalformed() {
        JsonNode tree = JsonNode.parse("{\"t\":\"x\",\"l\":5000000000,\"o\":{\"a\":1}}");

        assertThatThrownBy(() -> tree.path("t").asInt())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("A JSON value must be a whole number but was \"x\"");
        assertThatThrownBy(() -> tree.path("l").asInt())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("A JSON value must be a whole number but was 5000000000");
        assertThatThrownBy(() -> tree.path("t").asDouble())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("A JSON value must be a number but was \"x\"");
        assertThatThrownBy(() -> tree.path("o").asString())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("A JSON value must be a text but was {\"a\":1}");
        assertThatThrownBy(() -> tree.path("t").asBoolean())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("A JSON value must be true or false but was \"x\"");
        assertThat(tree.path("x").asInt()).isZero();
        assertThat(tree.path("x").asString()).isEmpty();
        assertThat(tree.path("x").asBoolean()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[1,",
                "nul",
                "{\"a\" 1}",
                "{'a':1}",
                "[01]",
                "[1] 2",
                "/* */1",
                "[,]",
                "[1,]",
                "INF",
                "+1",
                "-INF",
                "\"\u0001\"",
                "\uFEFF{}"
            })
    void whatIsNotJsonIsRefused(String text) {
        assertThatThrownBy(() -> JsonNode.parse(text, "config.json"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("config.json is not JSON: ");
    }

    @Test
    void sizesAreBounded() {
        assertThat(JsonNode.parse("[".repeat(500) + "]".repeat(500)).size()).isEqualTo(1);
        assertThatThrownBy(() -> JsonNode.parse("[".repeat(501) + "]".repeat(501)))
                .isInstanceOf(MalformedFileException.class);
        assertThatThrownBy(() -> JsonNode.parse("1".repeat(1001))).isInstanceOf(MalformedFileException.class);
        assertThatThrownBy(() -> JsonNode.parse("{\"" + "k".repeat(50_001) + "\":1}"))
                .isInstanceOf(MalformedFileException.class);
    }

    @Test
    void bytesMustBeUtf8AndMayBeginWithAMark() {
        assertThat(JsonNode.parse("\uFEFF{\"é\":1}".getBytes(StandardCharsets.UTF_8), "a.json"))
                .hasToString("{\"é\":1}");
        assertThatThrownBy(() -> JsonNode.parse(new byte[] {'"', (byte) 0xff, '"'}, "a.json"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("a.json is not JSON: ");
    }

    @Test
    void plainValuesBecomeATreeAndComeBack() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("text", "é");
        map.put("whole", 3);
        map.put("long", 1L << 40);
        map.put("huge", BigInteger.TEN.pow(30));
        map.put("fraction", 0.5);
        map.put("flag", true);
        List<Object> list = new ArrayList<>();
        list.add(null);
        list.add(Map.of());
        map.put("list", list);

        assertThat(JsonNode.of(map)).isEqualTo(JsonNode.parse(JsonNode.of(map).toString()));
        assertThat(JsonNode.of(map).toJava()).isEqualTo(map);
        assertThat(JsonNode.of(5L)).isEqualTo(JsonNode.parse("5"));
        assertThatThrownBy(() -> JsonNode.of(new StringBuilder[0]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("JSON has no form for a [Ljava.lang.StringBuilder;");
    }

    @Test
    void aNumberThatWasComputedAndIsNotFiniteIsWrittenAsText() {
        assertThat(new ArrayNode().add(Double.NaN).add(1e-5).add(0.1f)).hasToString("[\"NaN\",1.0E-5,0.1]");
    }

    @Test
    void aCopySharesNothing() {
        ObjectNode tree = (ObjectNode) JsonNode.parse("{\"a\":{\"b\":[1]},\"c\":2}");
        ObjectNode copy = tree.deepCopy();
        assertThat(copy).isEqualTo(tree);

        ((ArrayNode) copy.path("a").path("b")).add(2).addObject().put("x", true);
        copy.without("c").putNull("d");

        assertThat(tree).hasToString("{\"a\":{\"b\":[1]},\"c\":2}");
        assertThat(copy).hasToString("{\"a\":{\"b\":[1,2,{\"x\":true}]},\"d\":null}");
        assertThat(copy.retain(List.of("d"))).hasToString("{\"d\":null}");
    }
}
