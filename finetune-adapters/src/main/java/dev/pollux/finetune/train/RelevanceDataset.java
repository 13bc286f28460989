package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.data.JsonRows;
import dev.pollux.inference.internal.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Queries with documents, to train encoders on. A row has {@code query}, {@code positive} and perhaps {@code negatives}, a list; or
 * {@code query}, {@code document} and {@code label}, true, false or a number in [0, 1]. Both serve both objectives: a positive is a
 * document with the label 1, and a document with a label of at least ½ is a positive, others are negatives of the same query.
 *
 * <p><em>Immutable.</em>
 */
public final class RelevanceDataset {

    private final String name;
    private final List<Row> rows;

    /**
     * A row.
     *
     * @param number in its file, from 1
     * @param documents each with its label
     */
    record Row(long number, String query, List<Labelled> documents, boolean isTriple) {}

    /** A document with its label in [0, 1]. */
    record Labelled(String text, double label) {}

    private RelevanceDataset(String name, List<Row> rows) {
        this.name = name;
        this.rows = List.copyOf(rows);
        if (rows.isEmpty()) {
            throw new MalformedFileException(name + " has no rows; give a file with at least one");
        }
    }

    /**
     * Reads a file with a JSON object on each line, or one JSON array of objects. Empty lines are passed over.
     *
     * @throws MalformedFileException if a row cannot be read; the message has its number
     * @throws dev.pollux.StorageException if the file cannot be read
     */
    public static RelevanceDataset jsonl(Path file) {
        List<Row> rows = new ArrayList<>();
        JsonRows.read(file, JsonRows.text(file), (number, row) -> rows.add(read(file.toString(), number, row)));
        return new RelevanceDataset(file.toString(), rows);
    }

    /**
     * Rows in memory, each as an object of a file would have it.
     *
     * @param name for messages
     */
    public static RelevanceDataset of(String name, List<? extends Map<String, ?>> rows) {
        List<Row> read = new ArrayList<>();
        for (Map<String, ?> row : rows) {
            read.add(read(name, read.size() + 1L, JsonNode.of(row)));
        }
        return new RelevanceDataset(name, read);
    }

    private static Row read(String source, long number, JsonNode row) {
        String query = text(source, number, row, "query");
        if (row.has("document")) {
            return new Row(
                    number,
                    query,
                    List.of(new Labelled(text(source, number, row, "document"), label(source, number, row))),
                    false);
        }
        if (!row.has("positive")) {
            throw refused(
                    source,
                    number,
                    "has the keys " + row.propertyNames()
                            + ", which must be query, positive and perhaps negatives, or query, document and label");
        }
        List<Labelled> documents = new ArrayList<>();
        documents.add(new Labelled(text(source, number, row, "positive"), 1));
        JsonNode negatives = row.has("negatives") ? row.path("negatives") : row.path("negative");
        if (negatives.isString()) {
            documents.add(new Labelled(filled(source, number, "negative", negatives), 0));
        } else if (negatives.isArray()) {
            negatives.forEach(one -> documents.add(new Labelled(filled(source, number, "negatives", one), 0)));
        } else if (!negatives.isMissingNode() && !negatives.isNull()) {
            throw refused(source, number, "has " + negatives.shown() + " as negatives, which must be a list of texts");
        }
        return new Row(number, query, documents, true);
    }

    private static String text(String source, long number, JsonNode row, String key) {
        return filled(source, number, key, row.path(key));
    }

    private static String filled(String source, long number, String key, JsonNode value) {
        if (!value.isString() || value.asString("").isBlank()) {
            throw refused(
                    source,
                    number,
                    (value.isMissingNode() ? "has no " + key : "has " + value.shown() + " as " + key)
                            + ", which must be a text that is not empty");
        }
        return value.asString("");
    }

    private static double label(String source, long number, JsonNode row) {
        JsonNode label = row.path("label");
        double value =
                label.isBoolean() ? (label.asBoolean(false) ? 1 : 0) : label.isNumber() ? label.asDouble(-1) : -1;
        if (!(value >= 0 && value <= 1)) {
            throw refused(
                    source,
                    number,
                    (label.isMissingNode() ? "has no label" : "has " + label.shown() + " as label")
                            + ", which must be true, false or a number in [0, 1]");
        }
        return value;
    }

    private static MalformedFileException refused(String source, long number, String why) {
        return new MalformedFileException(source + ": row " + number + " " + why + "; correct or remove the row");
    }

    /** The name for messages, such as the path of its file. */
    public String name() {
        return name;
    }

    /** The number of rows. */
    public int size() {
        return rows.size();
    }

    /** Each document with its query. */
    List<Row> pairs() {
        List<Row> pairs = new ArrayList<>();
        for (Row row : rows) {
            row.documents.forEach(one -> pairs.add(new Row(row.number, row.query, List.of(one), false)));
        }
        return pairs;
    }

    /** Each positive with its query and the negatives of the query, the positive first. */
    List<Row> triples() {
        Map<String, List<Labelled>> negatives = new LinkedHashMap<>();
        for (Row row : rows) {
            if (!row.isTriple && row.documents.get(0).label < 0.5) {
                negatives.computeIfAbsent(row.query, key -> new ArrayList<>()).add(row.documents.get(0));
            }
        }
        List<Row> triples = new ArrayList<>();
        for (Row row : rows) {
            if (row.documents.get(0).label >= 0.5) {
                List<Labelled> all = new ArrayList<>(row.documents);
                all.addAll(negatives.getOrDefault(row.query, List.of()));
                triples.add(new Row(row.number, row.query, all, true));
            }
        }
        return triples;
    }
}
