package dev.pollux.rag.source;

import dev.pollux.MalformedFileException;
import dev.pollux.internal.Json;
import dev.pollux.internal.text.Lines;
import dev.pollux.rag.source.CsvRows.MalformedRowException;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.MetadataValue;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Place;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes documents of files with records: a table of a CSV file, or a document of each line of a JSON Lines file. */
final class RecordFile {

    private static final int MOST_NAMED = 5;
    private static final int LONGEST_LINE = 1 << 24;

    private final String id;
    private final String path;
    private final DocumentSink sink;

    /** @param path address of the file; empty if its source and its id say it */
    RecordFile(String id, String path, DocumentSink sink) {
        this.id = id;
        this.path = path;
        this.sink = sink;
    }

    /**
     * A document for each row of a CSV file.
     *
     * @param in supports marks; closed by the caller
     */
    void rows(Reader in, FieldMapping mapping) throws IOException {
        try {
            CsvRows rows = new CsvRows(in);
            Optional<CsvRows.Row> head = rows.next();
            if (head.isEmpty()) {
                sink.skipped(id, "has no rows");
                return;
            }
            List<String> names = head.get().cells();
            long number = 0;
            for (Optional<CsvRows.Row> row = rows.next(); row.isPresent(); row = rows.next()) {
                number++;
                row(names, row.get(), number, mapping);
            }
        } catch (MalformedRowException e) {
            sink.failedRecord(id + "/", String.valueOf(e.getMessage()));
        }
    }

    private void row(List<String> names, CsvRows.Row row, long number, FieldMapping mapping) {
        if (row.cells().size() != names.size()) {
            sink.failedRecord(
                    id + "/" + number,
                    "line " + row.firstLine() + " has " + row.cells().size() + " cells, and the first line has "
                            + names.size());
            return;
        }
        Map<String, String> fields = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            fields.put(names.get(i).strip(), row.cells().get(i));
        }
        Location location = Location.lines(row.firstLine(), row.lastLine());
        Optional<Document> document = mapping.document(fields, id + "/", number, path, location);
        if (document.isPresent()) {
            sink.document(document.get());
        } else {
            sink.skipped(id + "/" + number, "line " + row.firstLine() + " has no text");
        }
    }

    /** The table of a CSV file as one document in Markdown, with the lines of its rows; absent if it is skipped. */
    Optional<Document> table(String text) {
        StringBuilder markdown = new StringBuilder(text.length() + text.length() / 4);
        List<Place> places = new ArrayList<>();
        List<Integer> ragged = new ArrayList<>();
        int columns = 0;
        try {
            CsvRows rows = new CsvRows(new StringReader(text));
            for (Optional<CsvRows.Row> next = rows.next(); next.isPresent(); next = rows.next()) {
                CsvRows.Row row = next.get();
                places.add(new Place(markdown.length(), Location.lines(row.firstLine(), row.lastLine())));
                row.cells()
                        .forEach(
                                cell -> markdown.append("| ").append(cell(cell)).append(' '));
                markdown.append("|\n");
                if (columns == 0) {
                    columns = row.cells().size();
                    markdown.append('|').append("---|".repeat(columns)).append('\n');
                } else if (row.cells().size() != columns) {
                    ragged.add(row.firstLine());
                }
            }
        } catch (MalformedRowException e) {
            sink.skipped(id, String.valueOf(e.getMessage()));
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!ragged.isEmpty()) {
            sink.notice(id, ragged(ragged, columns));
        }
        if (columns == 0) {
            sink.notice(id, "is empty");
        }
        return Optional.of(new Document(id, path, Passage.MARKDOWN, markdown.toString(), Map.of(), places));
    }

    private static String ragged(List<Integer> lines, int columns) {
        String named = String.join(
                ", ", lines.stream().limit(MOST_NAMED).map(String::valueOf).toList());
        String rest = lines.size() > MOST_NAMED ? " and " + (lines.size() - MOST_NAMED) + " more" : "";
        return "has rows that have not " + columns + " cells as its first: lines " + named + rest;
    }

    private static String cell(String text) {
        return text.replaceAll("\\R", " ").replace("|", "\\|");
    }

    /** A document for each line of a JSON Lines file. */
    void jsonLines(String text, FieldMapping mapping) {
        Lines lines = new Lines(text);
        for (int i = 0; i < lines.count(); i++) {
            String line = lines.line(i);
            if (!line.isBlank()) {
                jsonLine(line, i + 1, mapping);
            }
        }
    }

    /**
     * A document for each line of a JSON Lines file of any size.
     *
     * @param in closed by the caller
     */
    void jsonLines(Reader in, FieldMapping mapping) throws IOException {
        StringBuilder line = new StringBuilder();
        int number = 1;
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c == '\n') {
                endLine(line, number++, mapping);
            } else if (line.length() < LONGEST_LINE) {
                line.append((char) c);
            }
        }
        endLine(line, number, mapping);
    }

    private void endLine(StringBuilder line, int number, FieldMapping mapping) {
        if (!line.toString().isBlank()) {
            jsonLine(line.toString(), number, mapping);
        }
        line.setLength(0);
    }

    private void jsonLine(String line, int number, FieldMapping mapping) {
        Object value;
        try {
            value = Json.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), "line " + number);
        } catch (MalformedFileException e) {
            sink.failedRecord(id + "/" + number, "line " + number + " is not JSON: " + e.getMessage());
            return;
        }
        if (!(value instanceof Map<?, ?> object)) {
            sink.failedRecord(id + "/" + number, "line " + number + " is not a JSON object");
            return;
        }
        Map<String, String> fields = new LinkedHashMap<>();
        object.forEach((name, field) -> add(String.valueOf(name), field, fields));
        Optional<Document> document = mapping.document(fields, id + "/", number, path, Location.lines(number, number));
        if (document.isPresent()) {
            sink.document(document.get());
        } else {
            sink.skipped(id + "/" + number, "line " + number + " has no text");
        }
    }

    /** Adds a field, or the fields of an object by names such as {@code author.name}. */
    private static void add(String name, Object value, Map<String, String> fields) {
        if (value instanceof Map<?, ?> object && !object.isEmpty()) {
            object.forEach((inner, field) -> add(name + "." + inner, field, fields));
        } else {
            fields.put(name, MetadataValue.text(value));
        }
    }
}
