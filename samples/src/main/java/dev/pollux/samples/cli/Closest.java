package dev.pollux.samples.cli;

import dev.pollux.internal.text.EditDistance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** Suggestions for an unknown word. */
final class Closest {

    private static final int MOST_FILES = 2000;

    private Closest() {}

    /**
     * The known word with the fewest letters to insert, delete, replace or swap with their neighbour; empty where that is more
     * than a third of the word, or two words are as close.
     */
    static Optional<String> to(String word, Collection<String> known) {
        String plain = plain(word);
        int least = Math.max(1, plain.length() / 3) + 1;
        Optional<String> closest = Optional.empty();
        for (String candidate : known) {
            int distance = EditDistance.of(plain, plain(candidate));
            if (distance < least) {
                least = distance;
                closest = Optional.of(candidate);
            } else if (distance == least && closest.isPresent() && distance > 0) {
                closest = Optional.empty();
            }
        }
        return closest;
    }

    /** A question to be appended to a message: {@code ; did you mean 'ask'?}; empty where nothing is close. */
    static String question(String word, Collection<String> known) {
        return to(word, known)
                .map(closest -> "; did you mean '" + closest + "'?")
                .orElse("");
    }

    /** A path in the same folder with a name similar to {@code missing}. */
    static Optional<String> file(String missing) {
        try {
            Path path = Path.of(missing);
            Path name = path.getFileName();
            Path folder = Objects.requireNonNullElse(path.getParent(), Path.of(""));
            if (name == null || !Files.isDirectory(folder)) {
                return Optional.empty();
            }
            try (Stream<Path> files = Files.list(folder)) {
                return to(
                                name.toString(),
                                files.limit(MOST_FILES)
                                        .map(file -> String.valueOf(file.getFileName()))
                                        .sorted()
                                        .toList())
                        .map(found -> path.resolveSibling(found).toString());
            }
        } catch (IOException | InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static String plain(String word) {
        return word.replaceFirst("^-+", "").toLowerCase(Locale.ROOT);
    }
}
