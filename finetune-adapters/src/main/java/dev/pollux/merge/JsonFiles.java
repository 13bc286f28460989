package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.internal.ForeignFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Configuration files of model folders that hold one JSON object. */
final class JsonFiles {

    private static final long MAX_BYTES = 64L << 20;

    private JsonFiles() {}

    /** The object in {@code file}; empty if there is no such file. */
    static Optional<ObjectNode> read(Path file) {
        byte[] bytes;
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
        try {
            JsonNode node = JsonNode.parse(bytes, file.toString());
            if (node instanceof ObjectNode object) {
                return Optional.of(object);
            }
        } catch (MalformedFileException e) {
            throw foreign(bytes)
                    .map(what -> new MalformedFileException(file + " is not JSON: " + what, e))
                    .orElse(e);
        }
        throw new MalformedFileException(
                foreign(bytes).map(what -> file + " is not JSON: " + what).orElse(file + " must be a JSON object"));
    }

    private static Optional<String> foreign(byte[] bytes) {
        byte[] head = Arrays.copyOf(bytes, Math.min(ForeignFile.HEAD, bytes.length));
        String what = ForeignFile.describe(head, bytes.length).orElse("it is a text");
        return what.startsWith("it is a text") ? Optional.empty() : Optional.of(what);
    }

    static void write(Path file, JsonNode node) {
        try {
            Files.writeString(file, node.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }
}
