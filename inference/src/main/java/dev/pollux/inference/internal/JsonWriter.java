package dev.pollux.inference.internal;

import java.io.StringWriter;
import java.math.BigInteger;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** Writes trees as text, identically on every platform. */
final class JsonWriter {

    private static final JsonFactory FACTORY = new JsonFactory();

    private final JsonGenerator out;

    private JsonWriter(JsonGenerator out) {
        this.out = out;
    }

    static String compact(JsonNode node) {
        return write(node, ObjectWriteContext.empty());
    }

    static String pretty(JsonNode node) {
        return write(node, new Indented());
    }

    private static String write(JsonNode node, ObjectWriteContext context) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = FACTORY.createGenerator(context, text)) {
            new JsonWriter(out).value(node);
        }
        return text.toString();
    }

    private void value(JsonNode node) {
        if (node instanceof ObjectNode object) {
            out.writeStartObject();
            for (Map.Entry<String, JsonNode> pair : object.properties()) {
                out.writeName(pair.getKey());
                value(pair.getValue());
            }
            out.writeEndObject();
        } else if (node instanceof ArrayNode array) {
            out.writeStartArray();
            array.forEach(this::value);
            out.writeEndArray();
        } else if (node instanceof ValueNode plain && plain.value() != null) {
            plain(plain, plain.value());
        } else if (node.isNull()) {
            out.writeNull();
        }
    }

    private void plain(ValueNode node, Object value) {
        if (value instanceof String text) {
            out.writeString(text);
        } else if (value instanceof Boolean flag) {
            out.writeBoolean(flag);
        } else if (node.written() != null) {
            out.writeRawValue(node.written());
        } else if (value instanceof Integer number) {
            out.writeNumber(number);
        } else if (value instanceof Long number) {
            out.writeNumber(number);
        } else if (value instanceof BigInteger number) {
            out.writeNumber(number);
        } else if (value instanceof Float number) {
            out.writeNumber(number);
        } else if (value instanceof Double number) {
            out.writeNumber(number); // computed NaN and infinity become strings, so the output is valid JSON
        }
    }

    private static final class Indented extends ObjectWriteContext.Base {

        @Override
        public boolean hasPrettyPrinter() {
            return true;
        }

        @Override
        public PrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n"));
        }
    }
}
