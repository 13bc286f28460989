package dev.pollux.inference.decoder;

import dev.pollux.MalformedFileException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.SlidingRows;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/** The text of a {@link DecoderManifest}: its components by their names, in their order. */
final class ManifestJson {

    private final Path file;

    private ManifestJson(Path file) {
        this.file = file;
    }

    static DecoderManifest read(byte[] utf8, Path file) {
        return new ManifestJson(file).manifest(JsonNode.parse(utf8, file.toString()));
    }

    private DecoderManifest manifest(JsonNode json) {
        int format = number(json, "format");
        if (format != DecoderManifest.FORMAT) {
            throw new MalformedFileException(file + ": format must be " + DecoderManifest.FORMAT + " but was " + format
                    + "; export the model again");
        }
        Map<String, Object> provenance = new LinkedHashMap<>();
        json.path("provenance").properties().forEach(fact -> {
            Object value = fact.getValue().toJava();
            if (value != null) {
                provenance.put(fact.getKey(), value);
            }
        });
        return new DecoderManifest(
                format,
                text(json, "name"),
                text(json, "architecture"),
                number(json, "vocabularySize"),
                number(json, "contextLength"),
                numbers(json, "endTokens"),
                text(json, "bosToken"),
                text(json, "eosToken"),
                list(json, "states", this::state),
                number(json, "rotarySwitch"),
                number(json, "headWidth"),
                sampling(json.path("sampling")),
                list(json, "projections", this::projection),
                provenance);
    }

    /** Absent in folders of models of which nothing is published. */
    private Optional<GenerationOptions> sampling(JsonNode json) {
        if (json.isMissingNode()) {
            return Optional.empty();
        }
        try {
            return Optional.of(GenerationOptions.builder()
                    .temperature(decimal(json, "temperature"))
                    .topK(number(json, "topK"))
                    .topP(decimal(json, "topP"))
                    .minP(decimal(json, "minP"))
                    .typicalP(decimal(json, "typicalP"))
                    .repetitionPenalty(decimal(json, "repetitionPenalty"))
                    .build());
        } catch (IllegalArgumentException e) {
            throw new MalformedFileException(
                    file + " is not a decoder manifest: sampling: " + e.getMessage() + "; export the model again", e);
        }
    }

    private double decimal(JsonNode json, String key) {
        if (!json.path(key).isNumber()) {
            throw malformed(key, "a number", json.path(key));
        }
        return json.path(key).asDouble();
    }

    private StateTensor state(JsonNode json) {
        String kind = text(json, "kind");
        for (Kind known : Kind.values()) {
            if (known.name().equals(kind)) {
                return new StateTensor(
                        text(json, "input"), text(json, "output"), known, shape(json, known), type(json.path("type")));
            }
        }
        throw malformed("kind", "one of " + List.of(Kind.values()), json.path("kind"));
    }

    /** Sequences first, keys and values with positions third; the engine sets both. */
    private List<Integer> shape(JsonNode json, Kind kind) {
        List<Integer> shape = numbers(json, "shape");
        boolean fits = kind == Kind.RECURRENT ? shape.size() > 1 : shape.size() == 4;
        for (int i = 0; i < shape.size(); i++) {
            boolean open = i == 0 || i == 2 && kind == Kind.KEY_VALUE;
            fits &= open ? shape.get(i) == -1 : shape.get(i) > 0;
        }
        if (!fits || kind == Kind.WINDOW && !SlidingRows.isCapacity(shape.get(2))) {
            throw malformed("shape", rule(kind), json.path("shape"));
        }
        return shape;
    }

    /** Absent for 32-bit floats. */
    private ElementType type(JsonNode json) {
        if (json.isMissingNode()) {
            return ElementType.FLOAT;
        }
        return Stream.of(CacheFormat.values())
                .map(CacheFormat::type)
                .filter(known -> known.name().equals(text("type", json)))
                .findFirst()
                .orElseThrow(() -> malformed("type", "FLOAT or FLOAT16", json));
    }

    private static String rule(Kind kind) {
        return switch (kind) {
            case KEY_VALUE -> "[-1, heads, -1, width]";
            case WINDOW -> "[-1, heads, the rows of a sliding window, width]";
            case RECURRENT -> "[-1, sizes above 0]";
        };
    }

    private Projection projection(JsonNode json) {
        return new Projection(
                text(json, "input"),
                text(json, "output"),
                list(json, "weights", value -> text("weights", value)),
                numbers(json, "rows"),
                number(json, "columns"),
                flag(json, "lookup"));
    }

    private String text(JsonNode json, String key) {
        return text(key, json.path(key));
    }

    private String text(String key, JsonNode value) {
        if (!value.isString()) {
            throw malformed(key, "a text", value);
        }
        return value.asString();
    }

    private boolean flag(JsonNode json, String key) {
        if (!json.path(key).isBoolean()) {
            throw malformed(key, "true or false", json.path(key));
        }
        return json.path(key).asBoolean();
    }

    private int number(JsonNode json, String key) {
        return number(key, json.path(key));
    }

    private int number(String key, JsonNode value) {
        if (!value.isInt()) {
            throw malformed(key, "a whole number", value);
        }
        return value.asInt();
    }

    private List<Integer> numbers(JsonNode json, String key) {
        return list(json, key, value -> number(key, value));
    }

    private <T> List<T> list(JsonNode json, String key, Function<JsonNode, T> element) {
        if (!json.path(key).isArray()) {
            throw malformed(key, "a list", json.path(key));
        }
        return json.path(key).valueStream().map(element).toList();
    }

    private MalformedFileException malformed(String key, String rule, JsonNode value) {
        return new MalformedFileException(file + " is not a decoder manifest: " + key + " must be " + rule + " but was "
                + value.shown() + "; export the model again");
    }

    private static ObjectNode sampling(GenerationOptions options) {
        return new ObjectNode()
                .put("temperature", options.temperature())
                .put("topK", options.topK())
                .put("topP", options.topP())
                .put("minP", options.minP())
                .put("typicalP", options.typicalP())
                .put("repetitionPenalty", options.repetitionPenalty());
    }

    static String write(DecoderManifest manifest) {
        ObjectNode json = new ObjectNode();
        json.put("format", manifest.format());
        json.put("name", manifest.name());
        json.put("architecture", manifest.architecture());
        json.put("vocabularySize", manifest.vocabularySize());
        json.put("contextLength", manifest.contextLength());
        json.set("endTokens", JsonNode.of(manifest.endTokens()));
        json.put("bosToken", manifest.bosToken());
        json.put("eosToken", manifest.eosToken());
        var states = json.putArray("states");
        for (StateTensor state : manifest.states()) {
            ObjectNode one = states.addObject()
                    .put("input", state.input())
                    .put("output", state.output())
                    .put("kind", state.kind().name());
            one.set("shape", JsonNode.of(state.shape()));
            if (state.type() != ElementType.FLOAT) {
                one.put("type", state.type().name());
            }
        }
        json.put("rotarySwitch", manifest.rotarySwitch());
        json.put("headWidth", manifest.headWidth());
        manifest.sampling().ifPresent(sampling -> json.set("sampling", sampling(sampling)));
        var projections = json.putArray("projections");
        for (Projection projection : manifest.projections()) {
            projections
                    .addObject()
                    .put("input", projection.input())
                    .put("output", projection.output())
                    .set("weights", JsonNode.of(projection.weights()))
                    .set("rows", JsonNode.of(projection.rows()))
                    .put("columns", projection.columns())
                    .put("lookup", projection.lookup());
        }
        json.set("provenance", JsonNode.of(manifest.provenance()));
        return json.toPrettyString();
    }
}
