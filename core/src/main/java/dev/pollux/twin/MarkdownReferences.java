package dev.pollux.twin;

import dev.pollux.retrieval.Location;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Formats the sources of an answer as a list of Markdown links. */
final class MarkdownReferences {

    private static final String SPECIAL = "\\`*_[]<>&|~#";
    private static final String PLAIN = "-._~/@!$+,;=";
    private static final Pattern ADDRESS = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+://.*", Pattern.DOTALL);
    private static final Pattern WINDOWS = Pattern.compile("(?:[A-Za-z]:[\\\\/]|\\\\\\\\).*", Pattern.DOTALL);
    /** Addresses with a scheme that runs a program. */
    private static final Pattern PROGRAM =
            Pattern.compile("(?:javascript|vbscript|data):.*", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);

    private MarkdownReferences() {}

    /** The text, followed by each source once with all of its numbers. */
    static String below(String text, List<Citation> citations) {
        Map<String, List<Integer>> places = new LinkedHashMap<>();
        citations.forEach(citation ->
                places.computeIfAbsent(place(citation), p -> new ArrayList<>()).add(citation.number()));
        if (places.isEmpty()) {
            return text;
        }
        return places.entrySet().stream()
                .map(place -> "* " + numbers(place.getValue()) + " " + place.getKey())
                .collect(Collectors.joining("\n", text + "\n\n", "\n"));
    }

    private static String numbers(List<Integer> numbers) {
        return numbers.stream().distinct().map(number -> "\\[" + number + "\\]").collect(Collectors.joining(" "));
    }

    private static String place(Citation citation) {
        String heading = citation.heading().isEmpty() ? "" : ": " + escaped(citation.heading());
        String label = escaped(citation.document()) + ", "
                + escaped(citation.location().described());
        return "[" + label + "](" + target(citation) + ")" + heading;
    }

    private static String target(Citation citation) {
        String path = citation.origin().path();
        if (ADDRESS.matcher(path).matches() && !PROGRAM.matcher(path).matches()) {
            boolean lines = citation.location() instanceof Location.Lines; // may differ from the text's lines
            return encoded(path, PLAIN + ":?#&%") + (lines || path.indexOf('#') >= 0 ? "" : fragment(citation));
        }
        String fragment = fragment(citation);
        if (WINDOWS.matcher(path).matches()) {
            String slashes = path.replace('\\', '/');
            return "file:" + (slashes.startsWith("/") ? "" : "///") + encoded(slashes, PLAIN + ":") + fragment;
        }
        return (path.startsWith("/") ? "file://" : "") + encoded(path, PLAIN) + fragment;
    }

    private static String fragment(Citation citation) {
        String fragment = citation.location().fragment();
        return fragment.isEmpty() ? "" : "#" + fragment;
    }

    /** Percent-encodes every UTF-8 byte except ASCII letters, ASCII digits and the characters of {@code plain}. */
    private static String encoded(String address, String plain) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : address.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            boolean alphanumeric = c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z';
            if (alphanumeric || plain.indexOf(c) >= 0) {
                encoded.append(c);
            } else {
                encoded.append(String.format("%%%02X", (int) c));
            }
        }
        return encoded.toString();
    }

    /** A text on one line with all mark-up escaped. */
    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.strip().replaceAll("\\s+", " ").chars().forEach(c -> {
            if (SPECIAL.indexOf(c) >= 0) {
                escaped.append('\\');
            }
            escaped.append((char) c);
        });
        return escaped.toString();
    }
}
