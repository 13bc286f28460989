package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;

/** The sources of one commit. <em>Immutable.</em> */
final class Sources {

    private final Map<String, SourceRecord> byKey;
    private final Set<String> missing;

    private Sources(Map<String, SourceRecord> byKey) {
        this.byKey = Collections.unmodifiableMap(byKey);
        this.missing = new HashSet<>();
        byKey.values().stream().filter(SourceRecord::isMissing).forEach(source -> missing.add(source.key()));
    }

    static Sources read(DirectoryReader reader) throws IOException {
        Map<String, SourceRecord> byKey = new TreeMap<>();
        for (LeafReaderContext leaf : reader.leaves()) {
            LeafReader segment = leaf.reader();
            PostingsEnum docs = segment.postings(new Term(IndexLayout.SOURCES, IndexLayout.SOURCES), PostingsEnum.NONE);
            Bits live = segment.getLiveDocs();
            if (docs == null) {
                continue;
            }
            for (int doc = docs.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = docs.nextDoc()) {
                if (live == null || live.get(doc)) {
                    SourceRecord source = SourceRecord.of(segment.storedFields().document(doc));
                    byKey.put(source.key(), source);
                }
            }
        }
        return new Sources(byKey);
    }

    Collection<SourceRecord> all() {
        return byKey.values();
    }

    SourceRecord get(String key) {
        return find(key)
                .orElseThrow(() -> new MalformedFileException("The knowledge base has documents of source " + key
                        + " and no record of it; delete the knowledge base and ingest again"));
    }

    Optional<SourceRecord> find(String key) {
        return Optional.ofNullable(byKey.get(key));
    }

    Optional<SourceRecord> named(String name) {
        return byKey.values().stream()
                .filter(source -> source.name().equals(name))
                .findFirst();
    }

    /** Whether its folder was gone when the commit was opened. */
    boolean isMissing(SourceRecord source) {
        return missing.contains(source.key());
    }

    /** A key that no source has. */
    String newKey() {
        return String.valueOf(
                1 + byKey.keySet().stream().mapToInt(Integer::parseInt).max().orElse(0));
    }
}
