package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Configuration files of model folders: small, and not to be trusted. */
final class JsonFiles {

    static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** Without line breaks. */
    static final JsonMapper COMPACT = JsonMapper.shared();

    private static final long MAX_BYTES = 64L << 20;

    private JsonFiles() {}

    /** The object in {@code file}; empty if there is no such file. */
    static Optional<ObjectNode> read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            JsonNode node = MAPPER.readTree(Files.readAllBytes(file));
            if (!(node instanceof ObjectNode object)) {
                throw new MalformedFileException(file + " must be a JSON object");
            }
            return Optional.of(object);
        } catch (JacksonException e) {
            throw new MalformedFileException(file + " is not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    static void write(Path file, JsonNode node) {
        try {
            Files.writeString(file, MAPPER.writeValueAsString(node) + "\n");
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }
}
