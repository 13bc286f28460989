package dev.pollux.inference.encoder;

import dev.pollux.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a graph comes from: a file, with its external data beside it, or bytes.
 *
 * @param name named in errors
 * @param path the file; of no meaning for bytes
 * @param bytes the model itself
 */
record ModelSource(String name, Path path, Optional<byte[]> bytes) {

    static ModelSource of(Path file) {
        return new ModelSource(file.toString(), file, Optional.empty());
    }

    static ModelSource of(String name, byte[] bytes) {
        return new ModelSource(name, Path.of(name), Optional.of(bytes));
    }

    /** Adds the model's bytes, and those of files beside it whose names begin with its own, to {@code digest}. */
    void hash(MessageDigest digest) {
        if (bytes.isPresent()) {
            digest.update(bytes.get());
            return;
        }
        byte[] buffer = new byte[1 << 20];
        for (Path file : files()) {
            try (InputStream in = Files.newInputStream(file)) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    digest.update(buffer, 0, n);
                }
            } catch (IOException e) {
                throw new StorageException("Cannot read " + file + ": " + e, e);
            }
        }
    }

    private List<Path> files() {
        try (Stream<Path> beside = Files.list(path.toAbsolutePath().getParent())) {
            return beside.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName()
                            .toString()
                            .startsWith(path.getFileName().toString()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new StorageException("Cannot list the files of " + path + ": " + e, e);
        }
    }
}
