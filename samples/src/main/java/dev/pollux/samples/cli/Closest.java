package dev.pollux.samples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** What a person may have meant by a word that nothing is called. */
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
            int distance = distance(plain, plain(candidate));
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

    /** The path beside {@code missing} that is called like it. */
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

    /** Optimal string alignment. */
    private static int distance(String a, String b) {
        int[] before = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(last[j], row[j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                row[j] = swapped ? Math.min(row[j], before[j - 2] + 1) : row[j];
            }
            before = last;
            last = row;
        }
        return last[b.length()];
    }
}
