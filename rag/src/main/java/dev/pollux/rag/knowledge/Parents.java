package dev.pollux.rag.knowledge;

import dev.pollux.retrieval.Passage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;

/** The parents of passages, in one snapshot. */
final class Parents {

    private Parents() {}

    /** Whether some passages have a parent. */
    static boolean exist(Snapshot snapshot) {
        return snapshot.reader().leaves().stream()
                .anyMatch(leaf -> leaf.reader().getFieldInfos().fieldInfo(IndexLayout.PARENT_START) != null);
    }

    /** The passages of the parent of a passage, in order; empty if it has none. */
    static List<Passage> siblings(Snapshot snapshot, Passage passage) throws IOException {
        Optional<SourceRecord> source = snapshot.sources().named(passage.source());
        List<Passage> siblings = new ArrayList<>();
        if (source.isPresent()) {
            Term key = new Term(IndexLayout.KEY, IndexLayout.key(source.get().key(), passage.document()));
            for (LeafReaderContext leaf : snapshot.reader().leaves()) {
                for (int doc : siblings(leaf.reader(), key, passage)) {
                    siblings.add(snapshot.stored().passage(leaf.docBase + doc, passage.copies()));
                }
            }
        }
        return siblings;
    }

    private static List<Integer> siblings(LeafReader segment, Term key, Passage passage) throws IOException {
        NumericDocValues starts = segment.getNumericDocValues(IndexLayout.PARENT_START);
        NumericDocValues ends = segment.getNumericDocValues(IndexLayout.PARENT_END);
        PostingsEnum docs = segment.postings(key, PostingsEnum.NONE);
        Bits live = segment.getLiveDocs();
        List<Integer> siblings = new ArrayList<>();
        if (starts == null || ends == null || docs == null) {
            return siblings;
        }
        for (int doc = docs.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = docs.nextDoc()) {
            boolean there = (live == null || live.get(doc)) && starts.advanceExact(doc) && ends.advanceExact(doc);
            if (there && starts.longValue() <= passage.start() && passage.end() <= ends.longValue()) {
                siblings.add(doc);
            }
        }
        return siblings;
    }
}
