package dev.pollux.inference.internal;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Configuration files of model folders: small, and not to be trusted. */
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
            return Optional.of(JsonNode.parse(Files.readAllBytes(file), file.toString()));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }
}
