package dev.pollux.artifact;

import dev.pollux.MalformedFileException;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import dev.pollux.internal.Json;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Formats and parses the text of a manifest. */
final class ManifestText {

    private static final String INDENT = "\n  ";

    private final String source;

    private ManifestText(String source) {
        this.source = source;
    }

    static String of(ArtifactManifest manifest) {
        List<String> entries = new ArrayList<>();
        entries.add("\"format\": " + ArtifactManifest.FORMAT);
        entries.add("\"kind\": " + Json.text(manifest.kind().text()));
        entries.add("\"operation\": " + Json.text(manifest.operation()));
        if (!manifest.version().isEmpty()) {
            entries.add("\"version\": " + Json.text(manifest.version()));
        }
        entries.add(manifest.inputs().stream()
                .map(ManifestText::input)
                .collect(Collectors.joining(
                        ",", "\"inputs\": [", manifest.inputs().isEmpty() ? "]" : INDENT + "]")));
        entries.add("\"options\": " + object(manifest.options(), Json::text));
        manifest.seed().ifPresent(seed -> entries.add("\"seed\": " + seed));
        entries.add("\"scores\": " + object(manifest.scores(), String::valueOf));
        return entries.stream().collect(Collectors.joining("," + INDENT, "{" + INDENT, "\n}\n"));
    }

    private static String input(Input input) {
        return INDENT + "  {\"path\": " + Json.text(input.path()) + ", \"bytes\": " + input.bytes() + ", \"sha256\": "
                + Json.text(input.sha256()) + "}";
    }

    private static <V> String object(Map<String, V> map, Function<V, String> value) {
        return map.entrySet().stream()
                .map(entry -> INDENT + "  " + Json.text(entry.getKey()) + ": " + value.apply(entry.getValue()))
                .collect(Collectors.joining(",", "{", map.isEmpty() ? "}" : INDENT + "}"));
    }

    /** @param source named in errors */
    static ArtifactManifest parse(byte[] utf8, String source) {
        ManifestText text = new ManifestText(source);
        try {
            return text.manifest(text.map(Json.parse(ByteBuffer.wrap(utf8), source), "the whole"));
        } catch (IllegalArgumentException e) {
            throw text.malformed(String.valueOf(e.getMessage()), e);
        }
    }

    private ArtifactManifest manifest(Map<?, ?> json) {
        if (!Long.valueOf(ArtifactManifest.FORMAT).equals(json.get("format"))) {
            throw malformed(
                    "format must be " + ArtifactManifest.FORMAT + " but was " + json.get("format")
                            + "; read it with the version of Pollux that wrote it",
                    null);
        }
        List<Input> inputs = new ArrayList<>();
        for (Object input : cast(List.class, json.get("inputs"), "inputs")) {
            Map<?, ?> entry = map(input, "an input");
            inputs.add(new Input(
                    cast(String.class, entry.get("path"), "path"),
                    cast(Long.class, entry.get("bytes"), "bytes"),
                    cast(String.class, entry.get("sha256"), "sha256")));
        }
        Map<String, String> options = new TreeMap<>();
        map(json.get("options"), "options")
                .forEach((name, value) -> options.put((String) name, cast(String.class, value, "an option")));
        Map<String, Double> scores = new TreeMap<>();
        map(json.get("scores"), "scores")
                .forEach((name, value) -> scores.put(
                        (String) name, cast(Number.class, value, "a score").doubleValue()));
        Object seed = json.get("seed");
        Object version = json.get("version");
        return new ArtifactManifest(
                kind(cast(String.class, json.get("kind"), "kind")),
                cast(String.class, json.get("operation"), "operation"),
                version == null ? "" : cast(String.class, version, "version"),
                inputs,
                options,
                seed == null ? OptionalLong.empty() : OptionalLong.of(cast(Long.class, seed, "seed")),
                scores);
    }

    private Kind kind(String text) {
        Iterator<Kind> found = Arrays.stream(Kind.values())
                .filter(kind -> kind.text().equals(text))
                .iterator();
        if (!found.hasNext()) {
            throw malformed("kind " + text + " is not known", null);
        }
        return found.next();
    }

    private Map<?, ?> map(@Nullable Object value, String what) {
        return cast(Map.class, value, what);
    }

    private <T> T cast(Class<T> type, @Nullable Object value, String what) {
        if (!type.isInstance(value)) {
            throw malformed(
                    what + " must be a " + type.getSimpleName().toLowerCase(Locale.ROOT) + " but was " + value, null);
        }
        return type.cast(value);
    }

    private MalformedFileException malformed(String why, @Nullable Throwable cause) {
        String message = source + " is not the manifest of an artifact: " + why;
        return cause == null ? new MalformedFileException(message) : new MalformedFileException(message, cause);
    }
}
