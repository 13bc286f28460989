package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes documents of records: rows of CSV files and databases, and lines of JSON Lines files.
 *
 * <p>Fields are found by their names, without regard to case. A field that is neither id, title nor text is metadata.
 * <em>Immutable.</em>
 */
public final class FieldMapping {

    /** Finds the fields by usual names. */
    public static final FieldMapping DEFAULTS = builder().build();

    private static final List<String> IDS = List.of("id", "_id", "key", "uuid");
    private static final List<String> TITLES = List.of("title", "name", "heading", "subject");
    private static final List<String> TEXTS =
            List.of("text", "body", "content", "contents", "description", "abstract", "answer");

    private final List<String> id;
    private final List<String> title;
    private final List<String> text;

    private FieldMapping(List<String> id, List<String> title, List<String> text) {
        this.id = List.copyOf(id);
        this.title = List.copyOf(title);
        this.text = List.copyOf(text);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The field of the id; empty, the default, means the first of {@code id}, {@code _id}, {@code key}, {@code uuid}. */
    public Optional<String> id() {
        return id.stream().findFirst();
    }

    /** The field of the title; empty, the default, means the first of {@code title}, {@code name}, {@code heading}, {@code subject}. */
    public Optional<String> title() {
        return title.stream().findFirst();
    }

    /**
     * The fields of the text, whose values are paragraphs; empty, the default, means the first of {@code text}, {@code body},
     * {@code content}, {@code contents}, {@code description}, {@code abstract}, {@code answer}, or else all fields as lines
     * {@code name: value}.
     */
    public List<String> text() {
        return text;
    }

    /**
     * The document of a record; absent if it has no text.
     *
     * @param fields values by name, in order
     * @param prefix of the id, such as the id of the file and {@code /}
     * @param number of the record, which is its id if it has none
     * @param path address of the document; empty if its source and its id say it
     * @param location location of the record; null if it has none
     */
    Optional<Document> document(
            Map<String, String> fields, String prefix, long number, String path, @Nullable Location location) {
        Map<String, String> names = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        fields.keySet().forEach(name -> names.putIfAbsent(name, name));
        Optional<String> idField = first(id.isEmpty() ? IDS : id, names);
        Optional<String> titleField = first(title.isEmpty() ? TITLES : title, names);
        List<String> textFields = text.isEmpty()
                ? first(TEXTS, names).stream().toList()
                : text.stream().filter(names::containsKey).map(names::get).toList();
        String content =
                textFields.isEmpty() && text.isEmpty() ? lines(fields, idField) : paragraphs(fields, textFields);
        if (content.isBlank()) {
            return Optional.empty();
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        fields.forEach((name, value) -> {
            boolean used = idField.filter(name::equals).isPresent()
                    || titleField.filter(name::equals).isPresent()
                    || textFields.contains(name);
            if (!used && !value.isBlank() && !name.isBlank()) {
                metadata.put(name, value);
            }
        });
        titleField.map(fields::get).filter(value -> !value.isBlank()).ifPresent(value -> metadata.put("title", value));
        String given = idField.map(fields::get).map(String::strip).orElse("");
        String own = given.isEmpty() ? String.valueOf(number) : given;
        List<Place> places = location == null ? List.of() : List.of(new Place(0, location));
        return Optional.of(new Document(prefix + own, path, "text/plain", content, metadata, places));
    }

    private static Optional<String> first(List<String> candidates, Map<String, String> names) {
        return candidates.stream().filter(names::containsKey).map(names::get).findFirst();
    }

    private static String paragraphs(Map<String, String> fields, List<String> names) {
        List<String> values = new ArrayList<>();
        for (String name : names) {
            String value = fields.getOrDefault(name, "");
            if (!value.isBlank()) {
                values.add(value);
            }
        }
        return String.join("\n\n", values);
    }

    private static String lines(Map<String, String> fields, Optional<String> idField) {
        List<String> lines = new ArrayList<>();
        fields.forEach((name, value) -> {
            if (!value.isBlank() && idField.filter(name::equals).isEmpty()) {
                lines.add(name + ": " + value);
            }
        });
        return String.join("\n", lines);
    }

    /** Whether another has the same fields. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FieldMapping that
                && that.id.equals(id)
                && that.title.equals(title)
                && that.text.equals(text);
    }

    @Override
    public int hashCode() {
        return List.of(id, title, text).hashCode();
    }

    @Override
    public String toString() {
        return "FieldMapping[id=" + id + ", title=" + title + ", text=" + text + "]";
    }

    /** Builds a {@link FieldMapping}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private List<String> id = List.of();
        private List<String> title = List.of();
        private List<String> text = List.of();

        private Builder() {}

        /** See {@link FieldMapping#id()}. */
        public Builder id(String field) {
            this.id = List.of(field);
            return this;
        }

        /** See {@link FieldMapping#title()}. */
        public Builder title(String field) {
            this.title = List.of(field);
            return this;
        }

        /** See {@link FieldMapping#text()}. */
        public Builder text(List<String> fields) {
            this.text = fields;
            return this;
        }

        /** The mapping. */
        public FieldMapping build() {
            return new FieldMapping(id, title, text);
        }
    }
}
