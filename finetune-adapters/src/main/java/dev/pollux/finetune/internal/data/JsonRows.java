package dev.pollux.finetune.internal.data;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files with a JSON object on each line, or one JSON array of objects. <em>Stateless, thread-safe.</em> */
public final class JsonRows {

    private JsonRows() {}

    /** Receives a row with its number: that of its line, or in an array its place, from 1. */
    @FunctionalInterface
    public interface Sink {
        /** Takes a row. */
        void row(long number, JsonNode row);
    }

    /**
     * Reads a file of rows.
     *
     * @throws StorageException if the file cannot be read
     */
    public static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /**
     * Reads the rows of a text in order. Empty lines are passed over.
     *
     * @param file for messages
     * @throws MalformedFileException if a row is not JSON; the message has its number
     */
    public static void read(Path file, String text, Sink sink) {
        long number = 0;
        if (text.stripLeading().startsWith("[")) {
            for (JsonNode row : JsonNode.parse(text, file.toString())) {
                sink.row(++number, row);
            }
            return;
        }
        for (String line : text.lines().toList()) {
            number++;
            if (!line.isBlank()) {
                sink.row(number, parsed(file, number, line));
            }
        }
    }

    private static JsonNode parsed(Path file, long number, String line) {
        try {
            return JsonNode.parse(line, file + ", line " + number);
        } catch (PolluxException e) {
            throw new MalformedFileException(
                    file + ": row " + number + " is not JSON: " + e.getMessage() + "; correct or remove the row", e);
        }
    }
}
