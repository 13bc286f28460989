package dev.pollux.inference.internal;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.ForeignFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Reads and writes configuration files of model folders: small, untrusted JSON files. */
public final class JsonFile {

    private static final long MAX_BYTES = 64L << 20;

    private JsonFile() {}

    /**
     * The JSON value in {@code file}; empty if there is no such file.
     *
     * @throws MalformedFileException if it is not JSON, or larger than 64 MiB
     */
    public static Optional<JsonNode> read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            return Optional.of(parse(Files.readAllBytes(file), file));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /**
     * The JSON object in {@code file}; empty if there is no such file.
     *
     * @throws MalformedFileException if it is not a JSON object, or larger than 64 MiB
     */
    public static Optional<ObjectNode> object(Path file) {
        return read(file).map(node -> {
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw new MalformedFileException(file + " must be a JSON object");
        });
    }

    /**
     * Writes {@code node}, indented, to {@code file}.
     *
     * @throws StorageException if the file cannot be written
     */
    public static void write(Path file, JsonNode node) {
        try {
            Files.writeString(file, node.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }

    /**
     * The JSON value in bytes that were read from {@code file}.
     *
     * @throws MalformedFileException if it is not JSON; the message identifies a web page or another kind of file
     */
    public static JsonNode parse(byte[] bytes, Path file) {
        try {
            return JsonNode.parse(bytes, file.toString());
        } catch (MalformedFileException e) {
            throw foreign(bytes)
                    .map(what -> new MalformedFileException(file + " is not JSON: " + what, e))
                    .orElse(e);
        }
    }

    /** The kind of a file that is not text; empty for text, for which the parser's message is more precise. */
    private static Optional<String> foreign(byte[] bytes) {
        byte[] head = Arrays.copyOf(bytes, Math.min(ForeignFile.HEAD, bytes.length));
        return ForeignFile.describe(head, bytes.length).filter(what -> !what.startsWith("it is a text"));
    }
}
