package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A text that a model is to read. */
final class TextFile {

    private static final long MOST_BYTES = 64L << 20;

    private TextFile() {}

    /** The whole of a file in UTF-8. */
    static String read(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new IllegalArgumentException(
                        file + " must be at most " + MOST_BYTES + " bytes; give a part of it");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + Plainly.told(e), e);
        }
    }
}
