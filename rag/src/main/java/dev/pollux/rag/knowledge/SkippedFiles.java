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
 * @param kinds number of documents of each unsupported type, such as {@code PDF}
 * @param unreadable number of files and folders that could not be read
 * @param other number of other files and folders skipped: not documents by their extension, or excluded by {@code
 *     .gitignore}
 * @param files the first {@value #MOST_FILES} of them, documents first
 */
public record SkippedFiles(Map<String, Integer> kinds, int unreadable, int other, List<SkippedFile> files) {

    /** The maximum number of files listed by name. */
    public static final int MOST_FILES = 100;

    /** No file was skipped. */
    public static final SkippedFiles NONE = new SkippedFiles(Map.of(), 0, 0, List.of());

    public SkippedFiles {
        kinds = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(kinds)));
        files = List.copyOf(files);
    }

    /** Total of the skipped files. */
    public int count() {
        return documents() + other;
    }

    /** Total of the files that a user would regard as documents. */
    public int documents() {
        return kinds.values().stream().mapToInt(Integer::intValue).sum() + unreadable;
    }

    /**
     * A description of the skipped files: {@code 3 PDF files, 1 HTML file, 2 unreadable files and 12 other files}; empty if
     * none were skipped.
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
