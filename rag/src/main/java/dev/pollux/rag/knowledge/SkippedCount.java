package dev.pollux.rag.knowledge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Counts the files that a source skips. <em>Not thread-safe: one thread at a time.</em> */
final class SkippedCount {

    private final Map<String, Integer> kinds = new TreeMap<>();
    private final List<SkippedFile> documents = new ArrayList<>();
    private final List<SkippedFile> others = new ArrayList<>();
    private int unreadable;
    private int other;

    void unreadable(String id, String reason) {
        unreadable++;
        add(documents, new SkippedFile(id, reason));
    }

    /** @param kind the unsupported document type, such as {@code PDF}; empty if the file is not such a document */
    void unread(String id, String kind, String reason) {
        if (kind.isEmpty()) {
            other++;
            add(others, new SkippedFile(id, reason));
        } else {
            kinds.merge(kind, 1, Integer::sum);
            add(documents, new SkippedFile(id, reason));
        }
    }

    private static void add(List<SkippedFile> files, SkippedFile file) {
        if (files.size() < SkippedFiles.MOST_FILES) {
            files.add(file);
        }
    }

    SkippedFiles files() {
        List<SkippedFile> files = Stream.concat(documents.stream(), others.stream())
                .limit(SkippedFiles.MOST_FILES)
                .toList();
        return new SkippedFiles(kinds, unreadable, other, files);
    }
}
