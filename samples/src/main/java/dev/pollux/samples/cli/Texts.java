package dev.pollux.samples.cli;

import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.stream.Collectors;

/** Numbers and stretches of text as people read them. */
final class Texts {

    /** The most copies of a document that are named. */
    private static final int MOST_COPIES = 3;

    private Texts() {}

    /** Bytes in decimal units, such as {@code 98.1 MB}. */
    static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 999.95 && unit < 4) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %sB", value, "kMGTP".charAt(unit));
    }

    /** A count with its thousands apart. */
    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.2f s", time.toNanos() / 1e9);
    }

    /** A text on one line: every run of white space becomes one space. */
    static String oneLine(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }

    /** The beginning of a text on one line, at most {@code length} characters. */
    static String snippet(String text, int length) {
        String line = oneLine(text);
        if (line.length() <= length) {
            return line;
        }
        int end = line.lastIndexOf(' ', length - 2);
        end = end < length / 2 ? length - 2 : end;
        end -= Character.isHighSurrogate(line.charAt(end - 1)) ? 1 : 0;
        return line.substring(0, end) + " …";
    }

    /** A location: {@code docs/merging.md:12-15 (Merging > Methods)}. */
    static String place(Origin origin, Location location, String heading) {
        return location.in(path(origin.path())) + (heading.isEmpty() ? "" : " (" + heading + ")");
    }

    /** The documents with equal content, as a line after {@link #place}; empty if there are none. */
    static String copies(Origin origin) {
        int more = origin.copies().size() - MOST_COPIES;
        return origin.copies().isEmpty()
                ? ""
                : "    also in "
                        + origin.copies().stream()
                                .limit(MOST_COPIES)
                                .map(Texts::path)
                                .collect(Collectors.joining(", "))
                        + (more > 0 ? " and " + more + " more" : "");
    }

    /** A path as a user may open it: relative to the working directory where the file is in it. */
    private static String path(String path) {
        try {
            Path file = Path.of(path);
            Path here = Path.of("").toRealPath();
            return file.isAbsolute() && file.startsWith(here)
                    ? here.relativize(file).toString()
                    : path;
        } catch (IOException | InvalidPathException e) {
            return path;
        }
    }
}
