package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Reads and writes files with one JSON object. */
final class JsonFiles {

    private JsonFiles() {}

    /** The object in {@code file}; empty if there is no such file. */
    static Optional<ObjectNode> read(Path file) {
        return JsonFile.read(file).map(node -> {
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw new MalformedFileException(file + " must be a JSON object");
        });
    }

    static void write(Path file, JsonNode node) {
        try {
            Files.writeString(file, node.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }
}
