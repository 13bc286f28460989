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
 * Files that several sources hold: because the folder of one is in that of another, where each file is as the source that was
 * read last has found it, or because a folder was moved into another.
 */
final class SharedFiles {

    /** A document to delete: the key of its source, and its id. */
    record Stale(String source, String id) {}

    private SharedFiles() {}

    /**
     * What other sources hold of files of this one that it found changed, or that are gone.
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
                for (KnownDocument document : snapshot.documents()) {
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
     * Sources whose place is gone, and whose documents are now among those of this one, at least half of them; and sources
     * that were read by the link by which this one is read now. One that was given a name is its owner's to delete.
     *
     * @param texts the hashes of the texts that this one holds
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
