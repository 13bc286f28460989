package dev.pollux.rag.knowledge;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Finds the documents that a source has no longer. <em>Not thread-safe: one thread at a time.</em> */
final class VanishedDocuments {

    /** Of so many new documents it is known whether they were renamed. */
    private static final int MAX_RENAMED = 100_000;

    private final Set<String> kept = new HashSet<>();
    private final Set<String> addedTexts = new HashSet<>(); // hashes of the texts of new documents
    private int deleted;
    private int renamed;

    /** @param id as in {@link dev.pollux.rag.source.DocumentSink#skipped} */
    void keep(String id) {
        kept.add(id);
    }

    /** Remembers the text of a new document, which may have had another id before. */
    void added(String text) {
        if (addedTexts.size() < MAX_RENAMED) {
            addedTexts.add(Hashes.ofContent(text));
        }
    }

    /**
     * Deletes the known documents that were neither seen nor kept; one whose text is that of a new document was renamed.
     *
     * @param source the key of the source
     */
    void delete(Store store, String source, DocumentTable documents, RecordFiles files) {
        Map<String, String> vanished = new HashMap<>(); // content by id
        store.read(snapshot -> {
            snapshot.values(source, IndexLayout.CONTENT_HASH, (id, content) -> {
                if (!documents.isSeen(id) && !isKept(id)) {
                    vanished.put(id, content);
                }
            });
            return snapshot;
        });
        vanished.forEach((id, content) -> {
            store.delete(IndexLayout.key(source, id));
            if (addedTexts.remove(content)) {
                renamed++;
            } else {
                deleted++;
            }
        });
        files.vanished().stream()
                .filter(prefix -> !isKept(prefix))
                .forEach(prefix -> store.delete(IndexLayout.key(source, prefix)));
    }

    private boolean isKept(String id) {
        if (kept.isEmpty()) {
            return false;
        }
        boolean keeps = kept.contains("/") || kept.contains(id);
        for (int slash = id.indexOf('/'); slash >= 0 && !keeps; slash = id.indexOf('/', slash + 1)) {
            keeps = kept.contains(id.substring(0, slash + 1));
        }
        return keeps;
    }

    int deleted() {
        return deleted;
    }

    int renamed() {
        return renamed;
    }
}
