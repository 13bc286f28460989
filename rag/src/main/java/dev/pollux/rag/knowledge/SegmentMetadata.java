package dev.pollux.rag.knowledge;

import dev.pollux.retrieval.Filter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;

/**
 * The metadata of the documents of one Lucene segment, on the heap. It is loaded by the first query with a filter and shared
 * by every snapshot that contains the segment. <em>Immutable.</em>
 */
final class SegmentMetadata {

    private static final Set<String> FIELDS = Set.of(IndexLayout.METADATA);

    /** A document: its passages, and behind them its record, by their numbers in the segment. */
    private record Block(int first, int record, Map<String, String> metadata) {}

    private final List<Block> blocks;

    private SegmentMetadata(List<Block> blocks) {
        this.blocks = blocks;
    }

    /** Of the documents that have passages and are not deleted now; a deleted one never comes back. */
    static SegmentMetadata read(LeafReader segment) throws IOException {
        List<Block> blocks = new ArrayList<>();
        NumericDocValues distances = segment.getNumericDocValues(IndexLayout.TO_RECORD);
        if (distances != null) {
            Bits live = segment.getLiveDocs();
            StoredFields stored = segment.storedFields();
            Map<Map<String, String>, Map<String, String>> shared = new HashMap<>();
            int record = -1;
            for (int doc = distances.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = distances.nextDoc()) {
                if (doc > record && (live == null || live.get(doc))) {
                    record = doc + Math.toIntExact(distances.longValue());
                    Map<String, String> metadata = of(stored.document(doc, FIELDS));
                    blocks.add(new Block(doc, record, shared.computeIfAbsent(metadata, same -> same)));
                }
            }
        }
        return new SegmentMetadata(blocks);
    }

    /** The document's metadata, from the fields of a passage. */
    static Map<String, String> of(Document fields) {
        String[] pairs = fields.getValues(IndexLayout.METADATA);
        Map<String, String> metadata = new TreeMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            metadata.put(pairs[i], pairs[i + 1]);
        }
        return metadata;
    }

    /** Adds the metadata of the documents that a filter allows, once for each document. */
    void collect(Filter filter, Bits records, int docBase, List<Map<String, String>> to) { // records: (maxDoc)
        for (Block block : blocks) {
            if (records.get(docBase + block.record()) && filter.matches(block.metadata())) {
                to.add(block.metadata());
            }
        }
    }

    /** Sets the passages and records that a filter allows, under their numbers in the whole index. */
    void allow(Filter filter, int docBase, FixedBitSet allowed) { // allowed: (maxDoc)
        IdentityHashMap<Map<String, String>, Boolean> known = new IdentityHashMap<>();
        for (Block block : blocks) {
            if (known.computeIfAbsent(block.metadata(), filter::matches)) {
                allowed.set(docBase + block.first(), docBase + block.record() + 1);
            }
        }
    }
}
