package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Files that belong to several sources, because the folder of one contains the folder of another or a folder was moved into
 * another. The state of such a file is that found by the most recently read source.
 */
final class SharedFiles {

    /** A document to delete: the key of its source, and its id. */
    record Stale(String source, String id) {}

    private SharedFiles() {}

    /**
     * Documents of other sources whose file this source found changed or missing.
     *
     * @param texts the hash of the text of each document that was read, by path
     */
    static List<Stale> stale(Snapshot snapshot, SourceRecord source, Map<String, String> texts) throws IOException {
        List<Stale> stale = new ArrayList<>();
        Optional<Path> root = SourceRecord.file(source.path());
        for (SourceRecord other : snapshot.sources().all()) {
            Optional<Path> otherRoot = SourceRecord.file(other.path());
            if (root.isEmpty() || otherRoot.isEmpty() || other.key().equals(source.key())) {
                continue;
            }
            if (otherRoot.get().startsWith(root.get()) || root.get().startsWith(otherRoot.get())) {
                Map<String, String> known = snapshot.values(other.key(), IndexLayout.CONTENT_HASH);
                for (KnownDocument document : snapshot.stored().documents()) {
                    String text = document.source().equals(other.name()) ? known.get(document.id()) : null;
                    if (text != null && isStale(document.path(), text, root.get(), texts)) {
                        stale.add(new Stale(other.key(), document.id()));
                    }
                }
            }
        }
        return stale;
    }

    /**
     * Sources that this one replaces: their path no longer exists and at least half of their documents are in this source,
     * or they were read through the link that this source uses now. Sources with a given name are excluded; the user deletes
     * them.
     *
     * @param texts hashes of the texts in this source
     */
    static List<SourceRecord> absorbed(Snapshot snapshot, SourceRecord source, Set<String> texts) throws IOException {
        List<SourceRecord> absorbed = new ArrayList<>();
        for (SourceRecord other : snapshot.sources().all()) {
            if (other.key().equals(source.key()) || other.named()) {
                continue;
            }
            if (!other.link().isEmpty() && other.link().equals(source.link())) {
                absorbed.add(other);
            } else if (other.hasLeft()) {
                int all = 0;
                int here = 0;
                for (Map.Entry<String, String> document :
                        snapshot.values(other.key(), IndexLayout.CONTENT_HASH).entrySet()) {
                    boolean counts = Contents.counts(document.getKey(), document.getValue());
                    all += counts ? 1 : 0;
                    here += counts && texts.contains(document.getValue()) ? 1 : 0;
                }
                if (here > 0 && 2 * here >= all) {
                    absorbed.add(other);
                }
            }
        }
        return absorbed;
    }

    private static boolean isStale(String path, String text, Path root, Map<String, String> texts) {
        Optional<Path> file = SourceRecord.file(path).filter(found -> found.startsWith(root));
        return file.isPresent() && (!texts.getOrDefault(path, text).equals(text) || Files.notExists(file.get()));
    }
}
