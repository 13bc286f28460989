package dev.pollux.rag.knowledge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The files of a source that are not in the knowledge base. <em>Immutable.</em>
 *
 * @param kinds how many documents there are of each kind that is not read, such as {@code PDF}
 * @param unreadable how many files and folders could not be read
 * @param other how many other files and folders were passed over: no documents by their ending, or left out by
 *     {@code .gitignore}
 * @param files the first {@value #MOST_FILES} of them, documents first
 */
public record SkippedFiles(Map<String, Integer> kinds, int unreadable, int other, List<SkippedFile> files) {

    /** The most files that are named. */
    public static final int MOST_FILES = 100;

    /** No file was skipped. */
    public static final SkippedFiles NONE = new SkippedFiles(Map.of(), 0, 0, List.of());

    public SkippedFiles {
        kinds = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(kinds)));
        files = List.copyOf(files);
    }

    /** How many there are. */
    public int count() {
        return documents() + other;
    }

    /** How many there are that a reader would take for documents. */
    public int documents() {
        return kinds.values().stream().mapToInt(Integer::intValue).sum() + unreadable;
    }

    /**
     * What was skipped, in words: {@code 3 PDF files, 1 HTML file, 2 unreadable files and 12 other files}; empty if nothing
     * was.
     */
    public String summary() {
        List<String> parts = new ArrayList<>();
        kinds.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .forEach(kind -> add(parts, kind.getValue(), kind.getKey()));
        add(parts, unreadable, "unreadable");
        add(parts, other, parts.isEmpty() ? "" : "other");
        String last = parts.isEmpty() ? "" : parts.remove(parts.size() - 1);
        return parts.isEmpty() ? last : String.join(", ", parts) + " and " + last;
    }

    private static void add(List<String> parts, int count, String kind) {
        if (count > 0) {
            parts.add(count + (kind.isEmpty() ? "" : " " + kind) + (count == 1 ? " file" : " files"));
        }
    }
}
