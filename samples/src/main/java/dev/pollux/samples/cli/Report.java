package dev.pollux.samples.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Facts by name, as one JSON object or as lines for people. <em>Not thread-safe: one thread at a time.</em> */
final class Report {

    private static final int COLUMN = 22;

    private final Map<String, @Nullable Object> json = new LinkedHashMap<>();
    private final List<String> lines = new ArrayList<>();

    /** A fact that reads the same for machines and people. */
    Report add(String name, Object value) {
        return add(name, value, String.valueOf(value));
    }

    /** A fact with a wording for people; an empty one leaves it out there. */
    Report add(String name, @Nullable Object value, String text) {
        json.put(name, value);
        return text.isEmpty() ? this : text(name.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT), text);
    }

    /** A fact for people only. */
    Report text(String label, String text) {
        return line(label + " ".repeat(Math.max(1, COLUMN - label.length())) + text);
    }

    /** A line for people only. */
    Report line(String line) {
        lines.add(line);
        return this;
    }

    void print(PolluxCommand command) {
        if (command.json()) {
            command.output().json(json);
        } else {
            lines.forEach(command.output()::line);
        }
    }
}
