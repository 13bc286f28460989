package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A metadata field for the documents of a source whose ids match a pattern. <em>Immutable.</em>
 *
 * @param pattern which ids, with the syntax of gitignore(5): {@code *.md} at any depth, {@code hr/} for a folder; empty for all
 * @param field name of the field; not blank
 * @param value its value
 */
public record MetadataRule(String pattern, String field, String value) {

    public MetadataRule {
        if (field.isBlank()) {
            throw new IllegalArgumentException("field must not be blank; name a field of the metadata");
        }
        if (!pattern.isEmpty()
                && PathPattern.of(pattern).filter(path -> !path.negated()).isEmpty()) {
            throw new IllegalArgumentException(
                    "pattern must match some path but was '" + pattern + "'; write it as in a .gitignore file");
        }
    }

    /**
     * Parses {@code field=value} or {@code pattern:field=value}.
     *
     * @throws IllegalArgumentException if the text has another form
     */
    public static MetadataRule parse(String text) {
        int equals = text.indexOf('=');
        if (equals < 1) {
            throw new IllegalArgumentException(
                    "A metadata rule has the form field=value or pattern:field=value but was '" + text + "'");
        }
        String left = text.substring(0, equals);
        int colon = left.lastIndexOf(':');
        return new MetadataRule(
                colon < 0 ? "" : left.substring(0, colon).strip(),
                left.substring(colon + 1).strip(),
                text.substring(equals + 1).strip());
    }

    /** Whether the rule applies to a document: its pattern matches the id or one of its folders. */
    boolean matches(String id) {
        List<String> names = List.of(id.split("/", -1));
        return pattern.isEmpty()
                || PathPattern.of(pattern)
                        .filter(path -> IntStream.rangeClosed(1, names.size())
                                .anyMatch(i -> path.matches(names.subList(0, i), i < names.size())))
                        .isPresent();
    }

    /** The document with the fields of the rules that match it; of two rules for a field the later one counts. */
    static Document applied(List<MetadataRule> rules, Document document) {
        Map<String, String> metadata = new HashMap<>(document.metadata());
        for (MetadataRule rule : rules) {
            if (rule.matches(document.id())) {
                metadata.put(rule.field(), rule.value());
            }
        }
        return metadata.equals(document.metadata()) ? document : document.withMetadata(metadata);
    }

    /** The text that {@link #parse} reads. */
    @Override
    public String toString() {
        return (pattern.isEmpty() ? "" : pattern + ":") + field + "=" + value;
    }
}
