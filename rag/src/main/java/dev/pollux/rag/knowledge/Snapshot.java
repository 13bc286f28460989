package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import dev.pollux.rag.knowledge.TopHits.Scored;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MultiPhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.util.Bits;
import org.jspecify.annotations.Nullable;

/** A knowledge base as of one commit. */
final class Snapshot {

    /** How many candidates are scored, at least: enough that a better document score can bring one to the top. */
    private static final int LEXICAL_DEPTH = 400;

    /** What a document's score counts for beside its passage's; 1 to 20 differ by less than a point of nDCG@10. */
    private static final float DOCUMENT_WEIGHT = 2;

    /** What two words side by side count for beside their own scores; 0.3 to 0.6 gain a point of nDCG@10 on Cranfield. */
    private static final float PAIR_WEIGHT = 0.6f;

    /** Words that may stand between the two. */
    private static final int PAIR_SLOP = 2;

    private final DirectoryReader reader;
    private final Sources sources;
    private final Duplicates duplicates;
    private final DirectoryReader retrieved; // the reader without duplicates
    private final IndexSearcher searcher;
    private final Map<IndexReader.CacheKey, SegmentVectors> vectors;

    /** Takes over {@code reader}; reads only the vectors that {@code before} has not. */
    Snapshot(DirectoryReader reader, int dimension, @Nullable Snapshot before) throws IOException {
        this.reader = reader;
        this.sources = Sources.read(reader);
        this.duplicates = Duplicates.of(reader, sources);
        this.retrieved = duplicates.isEmpty() ? reader : new WithoutDuplicates(reader, duplicates);
        this.searcher = new IndexSearcher(retrieved);
        searcher.setQueryCache(null);
        searcher.setSimilarity(Analysis.SIMILARITY);
        this.vectors = new HashMap<>();
        for (LeafReaderContext leaf : reader.leaves()) {
            IndexReader.CacheKey key = leaf.reader().getCoreCacheHelper().getKey();
            SegmentVectors known = before == null ? null : before.vectors.get(key);
            vectors.put(key, known == null ? SegmentVectors.read(leaf.reader(), dimension) : known);
        }
    }

    DirectoryReader reader() {
        return reader;
    }

    Sources sources() {
        return sources;
    }

    /** The passages whose vectors have the largest inner product with {@code query}. */
    List<Scored> nearest(float[] query, int k) { // query: (dimension)
        TopHits top = new TopHits(Math.min(k, retrieved.numDocs()));
        for (LeafReaderContext leaf : retrieved.leaves()) {
            vectors(leaf).scan(query, leaf.reader().getLiveDocs(), leaf.docBase, top);
        }
        return top.drain();
    }

    /**
     * The passages that score best under BM25 for the words of a question: the passage's own score plus twice that of its
     * whole document, so that what a document says elsewhere speaks for each of its passages.
     */
    List<Scored> matching(String question, int k) throws IOException {
        List<Set<String>> words = Analysis.asked(question, languages());
        int depth = Math.max(4 * k, LEXICAL_DEPTH);
        Map<Integer, Float> documents = new HashMap<>(); // record -> score
        for (ScoreDoc hit : searcher.search(query(IndexLayout.WHOLE, words), depth).scoreDocs) {
            documents.put(hit.doc, hit.score);
        }
        TopHits top = new TopHits(k);
        for (ScoreDoc hit : searcher.search(query(IndexLayout.CONTENT, words), depth).scoreDocs) {
            top.offer(hit.doc, hit.score + DOCUMENT_WEIGHT * documents.getOrDefault(record(hit.doc), 0f));
        }
        return top.drain();
    }

    private static Query query(String field, List<Set<String>> words) {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        int room = IndexSearcher.getMaxClauseCount();
        for (Set<String> word : words) {
            List<Query> terms = new ArrayList<>();
            word.forEach(term -> terms.add(new TermQuery(new Term(field, term))));
            room -= terms.size();
            if (room < 0) {
                break;
            }
            query.add(new DisjunctionMaxQuery(terms, 0), BooleanClause.Occur.SHOULD);
        }
        for (int i = 0; i + 1 < words.size() && field.equals(IndexLayout.CONTENT); i++) {
            room -= words.get(i).size() + words.get(i + 1).size();
            if (room < 0) {
                break;
            }
            query.add(pair(field, words.get(i), words.get(i + 1)), BooleanClause.Occur.SHOULD);
        }
        return query.build();
    }

    /** Two words of a question that stand side by side in a passage too. */
    private static Query pair(String field, Set<String> first, Set<String> second) {
        MultiPhraseQuery.Builder pair = new MultiPhraseQuery.Builder().setSlop(PAIR_SLOP);
        for (Set<String> word : List.of(first, second)) {
            pair.add(word.stream().map(term -> new Term(field, term)).toArray(Term[]::new));
        }
        return new BoostQuery(pair.build(), PAIR_WEIGHT);
    }

    /** The codes of the languages that passages are in. */
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
    private int record(int passage) throws IOException {
        LeafReaderContext leaf = reader.leaves().get(ReaderUtil.subIndex(passage, reader.leaves()));
        NumericDocValues distance = leaf.reader().getNumericDocValues(IndexLayout.TO_RECORD);
        if (distance == null || !distance.advanceExact(passage - leaf.docBase)) {
            throw new MalformedFileException(
                    "A passage in the knowledge base belongs to no document; delete the knowledge base and ingest again");
        }
        return passage + Math.toIntExact(distance.longValue());
    }

    /** The passages themselves. */
    List<Hit> hits(List<Scored> found) throws IOException {
        StoredFields stored = reader.storedFields();
        List<Hit> hits = new ArrayList<>(found.size());
        for (Scored scored : found) {
            List<String> copies = duplicates.copies(record(scored.id()));
            hits.add(new Hit(passage(stored.document(scored.id()), copies), scored.score()));
        }
        return hits;
    }

    private Passage passage(Document fields, List<String> copies) {
        String[] pairs = fields.getValues(IndexLayout.METADATA);
        Map<String, String> metadata = new TreeMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            metadata.put(pairs[i], pairs[i + 1]);
        }
        SourceRecord source = sources.get(fields.get(IndexLayout.SOURCE));
        String document = fields.get(IndexLayout.DOCUMENT);
        String own = Objects.requireNonNullElse(fields.get(IndexLayout.PATH), "");
        return new Passage(
                source.name() + "#" + document + "#" + number(fields, IndexLayout.NUMBER),
                new Origin(source.name(), document, source.pathOf(own, document), copies),
                Arrays.asList(fields.getValues(IndexLayout.HEADING)),
                fields.get(IndexLayout.TEXT),
                number(fields, IndexLayout.START),
                number(fields, IndexLayout.END),
                number(fields, IndexLayout.FIRST_LINE),
                number(fields, IndexLayout.LAST_LINE),
                Objects.requireNonNullElse(fields.get(IndexLayout.LEAD), ""),
                Objects.requireNonNullElse(fields.get(IndexLayout.MEDIA_TYPE), Passage.MARKDOWN),
                metadata);
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

    /** What is stored of a document's text: its passages, in order; {@code source} is the key of its source. */
    String text(String source, String id) throws IOException {
        Term term = new Term(IndexLayout.KEY, IndexLayout.key(source, id));
        StringBuilder text = new StringBuilder();
        for (LeafReaderContext leaf : reader.leaves()) {
            PostingsEnum docs = leaf.reader().postings(term, PostingsEnum.NONE);
            Bits live = leaf.reader().getLiveDocs();
            for (int doc = docs == null ? DocIdSetIterator.NO_MORE_DOCS : docs.nextDoc();
                    doc != DocIdSetIterator.NO_MORE_DOCS;
                    doc = docs.nextDoc()) {
                String passage = live != null && !live.get(doc)
                        ? null
                        : leaf.reader().storedFields().document(doc).get(IndexLayout.TEXT);
                text.append(passage == null ? "" : passage + "\n");
            }
        }
        return text.toString();
    }

    /** A value of each document of a source, by id, such as its version; {@code source} is the source's key. */
    Map<String, String> values(String source, String field) throws IOException {
        Map<String, String> found = new HashMap<>();
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
                    found.put(
                            ids.binaryValue().utf8ToString(),
                            values.binaryValue().utf8ToString());
                }
            }
        }
        return found;
    }

    /** Every document, in the order of the index. */
    List<KnownDocument> documents() throws IOException {
        List<KnownDocument> documents = new ArrayList<>();
        for (LeafReaderContext leaf : reader.leaves()) {
            NumericDocValues passages = leaf.reader().getNumericDocValues(IndexLayout.PASSAGES);
            Bits live = leaf.reader().getLiveDocs();
            if (passages == null) {
                continue;
            }
            for (int doc = passages.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = passages.nextDoc()) {
                if (live == null || live.get(doc)) {
                    documents.add(document(leaf.docBase + doc, Math.toIntExact(passages.longValue())));
                }
            }
        }
        return documents;
    }

    /** When what this shows was committed. */
    Instant commitTime() throws IOException {
        return Instant.parse(reader.getIndexCommit().getUserData().get(IndexLayout.COMMIT_TIME));
    }

    int passageCount() {
        int passages = 0;
        for (LeafReaderContext leaf : reader.leaves()) {
            passages += vectors(leaf).live(leaf.reader().getLiveDocs());
        }
        return passages;
    }

    private KnownDocument document(int doc, int passages) throws IOException {
        Document fields = reader.storedFields().document(doc);
        SourceRecord source = sources.get(fields.get(IndexLayout.SOURCE));
        String id = fields.get(IndexLayout.ID);
        return new KnownDocument(
                source.name(),
                id,
                source.pathOf(fields.get(IndexLayout.PATH), id),
                fields.get(IndexLayout.MEDIA_TYPE),
                passages,
                number(fields, IndexLayout.CHARACTERS),
                fields.get(IndexLayout.HASH));
    }

    private static int number(Document fields, String name) {
        return fields.getField(name).numericValue().intValue();
    }

    private SegmentVectors vectors(LeafReaderContext leaf) {
        SegmentVectors found = vectors.get(leaf.reader().getCoreCacheHelper().getKey());
        if (found == null) {
            throw new IllegalStateException("Segment " + leaf.ord + " has no vectors in this snapshot");
        }
        return found;
    }
}
