package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Passage;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MultiBits;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/** A knowledge base as of one commit. */
final class Snapshot {

    /*
     * A Lucene reader is a list of immutable segments; a commit adds segments and marks deletions. The vectors and metadata
     * of a segment are therefore loaded once, under the segment's cache key, and shared by every snapshot that has the
     * segment. A new snapshot loads only its new segments. A search skips the rows that the reader reports as deleted.
     *
     * Duplicates are found once per snapshot. The view without a filter is built with the snapshot, since most queries use it;
     * a view with a filter is built from the metadata, which the first such query loads. The last views are kept, a few bits a
     * passage each, since the filters of a host repeat.
     */

    /** Views that are kept. */
    private static final int VIEWS = 32;

    private final DirectoryReader reader;
    private final IndexSettings settings;
    private final Sources sources;
    private final StoredDocuments stored;
    private final Duplicates duplicates;
    private final Map<IndexReader.CacheKey, SegmentVectors> vectors;
    private final Map<IndexReader.CacheKey, SegmentMetadata> metadata =
            new ConcurrentHashMap<>(); // loaded by the first query with a filter
    private final DerivedFiles derived;
    private final View unfiltered;
    private volatile @Nullable Compounds compounds; // read by the first question that needs them
    private final Map<Filter, View> filtered = new LinkedHashMap<>(VIEWS, 0.75f, true); // guarded by itself

    /**
     * Takes ownership of {@code reader}. Loads only the vectors that {@code before} does not have, or has from other files.
     */
    Snapshot(DirectoryReader reader, IndexSettings settings, @Nullable Snapshot before) throws IOException {
        this.reader = reader;
        this.settings = settings;
        this.sources = Sources.read(reader);
        this.stored = new StoredDocuments(reader, sources);
        this.duplicates = Duplicates.of(reader, sources);
        this.vectors = new HashMap<>();
        this.derived =
                DerivedFiles.of(settings.folder(), reader.getIndexCommit().getUserData());
        for (LeafReaderContext leaf : reader.leaves()) {
            IndexReader.CacheKey key = leaf.reader().getCoreCacheHelper().getKey();
            SegmentVectors known = before == null ? null : before.vectors.get(key);
            boolean same = known != null && known.isShared() && known.files().equals(derived.of(known.id()));
            vectors.put(key, same ? known : SegmentVectors.read(leaf.reader(), settings, derived));
            SegmentMetadata read = before == null ? null : before.metadata.get(key);
            if (read != null) {
                metadata.put(key, read);
            }
        }
        this.unfiltered = View.of(this);
    }

    DirectoryReader reader() {
        return reader;
    }

    /** How to search a segment. */
    SearchPlan plan(int allowed, SegmentVectors vectors) {
        return settings.plan(allowed, vectors.rows().rows());
    }

    /** The derived files that the commit names. */
    DerivedFiles derived() {
        return derived;
    }

    Sources sources() {
        return sources;
    }

    /** Its documents and passages as they are stored. */
    StoredDocuments stored() {
        return stored;
    }

    /** The view of a query with this filter. */
    View view(Filter filter) throws IOException {
        if (filter.equals(Filter.all())) {
            return unfiltered;
        }
        synchronized (filtered) {
            View known = filtered.get(filter);
            if (known != null) {
                return known;
            }
        }
        View view = View.of(this, allowed(filter));
        synchronized (filtered) {
            filtered.put(filter, view);
            if (filtered.size() > VIEWS) {
                filtered.remove(filtered.keySet().iterator().next());
            }
        }
        return view;
    }

    /** The metadata of each document that a filter allows and that has passages. */
    List<Map<String, String>> metadata(Filter filter) throws IOException {
        List<Map<String, String>> found = new ArrayList<>();
        Bits live = MultiBits.getLiveDocs(reader);
        for (LeafReaderContext leaf : reader.leaves()) {
            metadata(leaf)
                    .collect(filter, live == null ? new Bits.MatchAllBits(reader.maxDoc()) : live, leaf.docBase, found);
        }
        return found;
    }

    /** The documents that a filter allows, with the keys of their blocks. */
    Map<String, KnownDocument> documents(Filter filter) throws IOException {
        FixedBitSet allowed = allowed(filter);
        Map<String, KnownDocument> found = new LinkedHashMap<>();
        stored.each((doc, passages) -> {
            if (allowed.get(doc)) {
                KnownDocument document = stored.document(doc, passages);
                found.put(IndexLayout.key(stored.source(doc), document.id()), document);
            }
        });
        return found;
    }

    /** The records and passages that a filter allows, deleted ones too. */
    private FixedBitSet allowed(Filter filter) throws IOException {
        FixedBitSet allowed = new FixedBitSet(Math.max(1, reader.maxDoc()));
        for (LeafReaderContext leaf : reader.leaves()) {
            metadata(leaf).allow(filter, leaf.docBase, allowed);
        }
        return allowed;
    }

    private SegmentMetadata metadata(LeafReaderContext leaf) throws IOException {
        IndexReader.CacheKey key = leaf.reader().getCoreCacheHelper().getKey();
        SegmentMetadata known = metadata.get(key);
        if (known == null) { // two threads may both load it, with the same result
            known = SegmentMetadata.read(leaf.reader());
            metadata.put(key, known);
        }
        return known;
    }

    Duplicates duplicates() {
        return duplicates;
    }

    /** The compounds of its texts. */
    Compounds compounds() throws IOException {
        Compounds known = compounds;
        if (known == null) { // two threads may both read them, with the same result
            known = Compounds.of(reader);
            compounds = known;
        }
        return known;
    }

    /** The language codes of the passages. */
    Set<String> languages() throws IOException {
        Set<String> codes = new TreeSet<>();
        Terms terms = MultiTerms.getTerms(reader, IndexLayout.LANGUAGE);
        if (terms != null) {
            TermsEnum all = terms.iterator();
            while (all.next() != null) {
                codes.add(all.term().utf8ToString());
            }
        }
        return codes;
    }

    /** The record of a passage's document. */
    int record(int passage) throws IOException {
        LeafReaderContext leaf = reader.leaves().get(ReaderUtil.subIndex(passage, reader.leaves()));
        NumericDocValues distance = leaf.reader().getNumericDocValues(IndexLayout.TO_RECORD);
        if (distance == null || !distance.advanceExact(passage - leaf.docBase)) {
            throw new MalformedFileException(
                    "A passage in the knowledge base belongs to no document; delete the knowledge base and ingest"
                            + " again");
        }
        return passage + Math.toIntExact(distance.longValue());
    }

    /** The vector of a passage that was embedded from the text with this hash, if there is one. */
    float @Nullable [] vector(String vectorKey) throws IOException {
        Term term = new Term(IndexLayout.VECTOR_KEY, vectorKey);
        for (LeafReaderContext leaf : reader.leaves()) {
            PostingsEnum docs = leaf.reader().postings(term, PostingsEnum.NONE);
            if (docs != null) {
                for (int doc = docs.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = docs.nextDoc()) {
                    float[] vector = vectors(leaf).vector(doc); // (dimension)
                    if (vector != null) {
                        return vector;
                    }
                }
            }
        }
        return null;
    }

    /** The vector of a passage; zeros if it is not in this commit. */
    float[] vector(Passage passage) throws IOException { // (dimension)
        for (Map.Entry<Integer, Passage> each :
                stored.numbered(passage.source(), passage.document()).entrySet()) {
            Passage known = each.getValue();
            if (known.start() <= passage.start() && passage.start() < Math.max(known.end(), known.start() + 1)) {
                LeafReaderContext leaf = reader.leaves().get(ReaderUtil.subIndex(each.getKey(), reader.leaves()));
                float[] vector = vectors(leaf).vector(each.getKey() - leaf.docBase);
                if (vector != null) {
                    return vector;
                }
            }
        }
        return new float[settings.dimension()];
    }

    /** A value of each document of a source, by id, such as its version; {@code source} is the source's key. */
    Map<String, String> values(String source, String field) throws IOException {
        Map<String, String> found = new HashMap<>();
        values(source, field, found::put);
        return found;
    }

    /** Passes the id and a value of each document of a source to {@code to}. */
    void values(String source, String field, BiConsumer<String, String> to) throws IOException {
        for (LeafReaderContext leaf : reader.leaves()) {
            LeafReader segment = leaf.reader();
            PostingsEnum docs = segment.postings(new Term(IndexLayout.SOURCE, source), PostingsEnum.NONE);
            BinaryDocValues ids = segment.getBinaryDocValues(IndexLayout.RECORD_ID);
            BinaryDocValues values = segment.getBinaryDocValues(field);
            Bits live = segment.getLiveDocs();
            if (docs == null || ids == null || values == null) {
                continue;
            }
            for (int doc = docs.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = docs.nextDoc()) {
                if ((live == null || live.get(doc)) && ids.advanceExact(doc) && values.advanceExact(doc)) {
                    to.accept(
                            ids.binaryValue().utf8ToString(),
                            values.binaryValue().utf8ToString());
                }
            }
        }
    }

    /** The time of the commit. */
    Instant commitTime() throws IOException {
        return Instant.parse(reader.getIndexCommit().getUserData().get(IndexLayout.COMMIT_TIME));
    }

    /** The scale stored in the commit. */
    Optional<MeasuredScale> scale() throws IOException {
        return MeasuredScale.of(reader.getIndexCommit().getUserData());
    }

    /**
     * The texts of at most {@code most} passages with the smallest hashes. This sample does not depend on the order of
     * writing, and adding passages changes few of its members.
     */
    List<String> sample(int most) throws IOException {
        List<String> texts = new ArrayList<>();
        Terms terms = MultiTerms.getTerms(reader, IndexLayout.VECTOR_KEY);
        Bits live = MultiBits.getLiveDocs(reader);
        StoredFields stored = reader.storedFields();
        TermsEnum keys = terms == null ? TermsEnum.EMPTY : terms.iterator();
        PostingsEnum docs = null;
        while (texts.size() < most && keys.next() != null) {
            docs = keys.postings(docs, PostingsEnum.NONE);
            int doc = docs.nextDoc();
            while (doc != DocIdSetIterator.NO_MORE_DOCS && live != null && !live.get(doc)) {
                doc = docs.nextDoc();
            }
            if (doc != DocIdSetIterator.NO_MORE_DOCS) {
                texts.add(stored.document(doc, Set.of(IndexLayout.TEXT)).get(IndexLayout.TEXT));
            }
        }
        return texts;
    }

    /** How the vectors are stored. */
    IndexStats index(long bytes) {
        int deleted = 0;
        int mapped = 0;
        int graphed = 0;
        for (LeafReaderContext leaf : reader.leaves()) {
            SegmentVectors segment = vectors(leaf);
            int rows = segment.rows().rows();
            deleted += rows - segment.live(leaf.reader().getLiveDocs());
            mapped += segment.isMapped() ? rows : 0;
            graphed += segment.hasGraph() ? rows : 0;
        }
        return new IndexStats(reader.leaves().size(), deleted, mapped, graphed, bytes);
    }

    int passageCount() {
        int passages = 0;
        for (LeafReaderContext leaf : reader.leaves()) {
            passages += vectors(leaf).live(leaf.reader().getLiveDocs());
        }
        return passages;
    }

    SegmentVectors vectors(LeafReaderContext leaf) {
        SegmentVectors found = vectors.get(leaf.reader().getCoreCacheHelper().getKey());
        if (found == null) {
            throw new IllegalStateException("Segment " + leaf.ord + " has no vectors in this snapshot");
        }
        return found;
    }
}
