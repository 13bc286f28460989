package dev.pollux.inference.encoder;

import dev.pollux.StorageException;
import dev.pollux.inference.graph.GraphOutline;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The source of a graph: a file, with external data in the same folder, or bytes.
 *
 * @param name named in errors
 * @param path the file; ignored for bytes
 * @param bytes the model itself
 * @param origin an identifier of the source content if the file was derived from a checkpoint
 */
record ModelSource(String name, Path path, Optional<byte[]> bytes, Optional<String> origin) {

    static ModelSource of(Path file) {
        return new ModelSource(file.toString(), file, Optional.empty(), Optional.empty());
    }

    static ModelSource of(String name, byte[] bytes) {
        return new ModelSource(name, Path.of(name), Optional.of(bytes), Optional.empty());
    }

    /** A file exported from a checkpoint; another version may write it with different bytes. */
    static ModelSource exported(Path file, String origin) {
        return new ModelSource(file.toString(), file, Optional.empty(), Optional.of(origin));
    }

    /** Adds the content of the model to {@code digest}: that of the checkpoint, or the graph's bytes and its external data. */
    void hash(MessageDigest digest) {
        if (origin.isPresent()) {
            digest.update(origin.get().getBytes(StandardCharsets.UTF_8));
        } else if (bytes.isPresent()) {
            digest.update(bytes.get());
        } else {
            files().forEach(file -> hash(file, digest));
        }
    }

    private static void hash(Path file, MessageDigest digest) {
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** The runtime has already loaded the model, so locations outside the folder have been refused. */
    private List<Path> files() {
        List<Path> files = new ArrayList<>(List.of(path));
        Path folder = path.toAbsolutePath().normalize().resolveSibling("");
        for (String location : GraphOutline.read(path).dataFiles()) {
            Path data = folder.resolve(location).normalize();
            if (data.startsWith(folder) && Files.isRegularFile(data)) {
                files.add(data);
            }
        }
        return files;
    }
}
