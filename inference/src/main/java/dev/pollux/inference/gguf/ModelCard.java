package dev.pollux.inference.gguf;

import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The description of a model in {@code README.md}, which starts with a block of YAML between lines of three hyphens. */
final class ModelCard {

    private static final int MOST = 1 << 20;

    private ModelCard() {}

    /** The {@code license} of the block; empty if there is none. */
    static Optional<String> license(Path folder) {
        Path card = folder.resolve("README.md");
        try {
            if (!Files.isRegularFile(card) || Files.size(card) > MOST) {
                return Optional.empty();
            }
            String text = new String(Files.readAllBytes(card), StandardCharsets.UTF_8);
            int end = text.indexOf("\n---", 3);
            if (!text.startsWith("---") || end < 0) {
                return Optional.empty();
            }
            return text.substring(0, end)
                    .lines()
                    .filter(line -> line.startsWith("license:"))
                    .map(line -> line.substring("license:".length()).strip())
                    .filter(license -> !license.isEmpty())
                    .findFirst();
        } catch (IOException e) {
            throw new StorageException("Cannot read " + card + ": " + e, e);
        }
    }
}
