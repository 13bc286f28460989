package dev.pollux.inference.internal;

import dev.pollux.MalformedFileException;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;

/**
 * Parses JSON into trees. It uses only Jackson's streaming parser, and only the API of 3.0, because a host may supply
 * another version than the one at build time.
 */
final class JsonReader {

    private static final int MAX_DEPTH = 500;
    private static final int MAX_NUMBER = 1000;
    private static final int MAX_NAME = 50_000;
    private static final int MAX_TEXT = 100_000_000;

    /** Explicit limits, since Jackson's defaults differ by version. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(MAX_NUMBER)
                    .maxNameLength(MAX_NAME)
                    .maxStringLength(MAX_TEXT)
                    .build())
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    /** The spellings of Python; Jackson accepts more. */
    private static final Set<String> NOT_FINITE = Set.of("NaN", "Infinity", "-Infinity");

    private final JsonParser parser;
    private final String source;

    private JsonReader(JsonParser parser, String source) {
        this.parser = parser;
        this.source = source;
    }

    static JsonNode read(String text, String source) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            return new JsonReader(parser, source).whole();
        } catch (JacksonException e) {
            throw malformed(source, e);
        }
    }

    static JsonNode read(byte[] utf8, String source) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), utf8)) {
            return new JsonReader(parser, source).whole();
        } catch (JacksonException e) {
            throw malformed(source, e);
        }
    }

    private JsonNode whole() {
        JsonToken token = parser.nextToken();
        if (token == null) {
            throw malformed("it is empty");
        }
        JsonNode value = value(token);
        if (parser.nextToken() != null) {
            throw malformed("something follows the value");
        }
        return value;
    }

    private JsonNode value(JsonToken token) {
        return switch (token) {
            case START_OBJECT -> object();
            case START_ARRAY -> array();
            case VALUE_STRING -> ValueNode.plain(parser.getString());
            case VALUE_NUMBER_INT -> integer();
            case VALUE_NUMBER_FLOAT -> decimal();
            case VALUE_TRUE -> ValueNode.plain(true);
            case VALUE_FALSE -> ValueNode.plain(false);
            case VALUE_NULL -> ValueNode.NULL;
            default -> throw malformed("a value is missing");
        };
    }

    private ObjectNode object() {
        ObjectNode object = new ObjectNode();
        for (String key = parser.nextName(); key != null; key = parser.nextName()) {
            object.set(key, value(parser.nextToken()));
        }
        return object;
    }

    private ArrayNode array() {
        ArrayNode array = new ArrayNode();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            array.add(value(token));
        }
        return array;
    }

    private ValueNode integer() {
        return ValueNode.plain(
                switch (parser.getNumberType()) {
                    case INT -> parser.getIntValue();
                    case LONG -> parser.getLongValue();
                    default -> parser.getBigIntegerValue();
                });
    }

    private ValueNode decimal() {
        String written = parser.getString();
        boolean finite =
                Character.isDigit(written.charAt(written.length() - 1)); // the tokens of the others end in letters
        if (!finite && !NOT_FINITE.contains(written)) {
            throw malformed("unknown number " + written);
        }
        return ValueNode.ofDecimal(parser.getDoubleValue(), written);
    }

    private MalformedFileException malformed(String why) {
        return new MalformedFileException(source + " is not JSON: " + why);
    }

    private static MalformedFileException malformed(String source, JacksonException cause) {
        return new MalformedFileException(source + " is not JSON: " + cause.getOriginalMessage(), cause);
    }
}
