package dev.pollux.rag.knowledge;

import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.rag.knowledge.TopHits.Scored;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Trace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MultiPhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;

/** The searchable part of a snapshot for one filter, with its searches. Valid as long as its snapshot. */
final class View {

    /*
     * Passages excluded by the filter or hidden as duplicates are treated as deleted by both searches. They are never
     * scored, so the result is the best k of the allowed passages. The lexical search is exact; so is the dense one in segments
     * without a graph and wherever the plan is to scan (see SearchPlan). Term statistics are those of the
     * whole index, so a filter does not change scores. Duplicates are selected after filtering (see Duplicates).
     *
     * Rejected: removing hits after the search. If a filter allows one document in a thousand, a query for ten hits would
     * rank ten thousand passages; if it allows none, all of them.
     */

    /** Minimum number of candidates, enough for a high document score to lift a passage to the top. */
    private static final int LEXICAL_DEPTH = 400;

    /** Weight of a document's score relative to its passage's; 1 to 20 differ by less than a point of nDCG@10. */
    private static final float DOCUMENT_WEIGHT = 2;

    /** Weight of a pair of adjacent words relative to a single word; 0.3 to 0.6 gain a point of nDCG@10 on Cranfield. */
    private static final float PAIR_WEIGHT = 0.6f;

    /** Weight of an exact form relative to its stem. */
    private static final float EXACT_WEIGHT = 0.4f;

    /** Share of the scores of a word's other terms, which is added to the best: the exact form ranks above other forms. */
    private static final float TIE = 0.1f;

    /** Weight of a compound with the word, or of a part of it, relative to the word. */
    private static final float COMPOUND_WEIGHT = 0.4f;

    /** Maximum number of words between the two. */
    private static final int PAIR_SLOP = 2;

    private final Snapshot snapshot;
    private final DirectoryReader reader; // only searchable documents are live
    private final IndexSearcher searcher;
    private final Map<Integer, List<String>> copies; // by record
    private final Map<Integer, Integer> allowed = new ConcurrentHashMap<>(); // passages by segment

    private View(Snapshot snapshot, DirectoryReader reader, Map<Integer, List<String>> copies) {
        this.snapshot = snapshot;
        this.reader = reader;
        this.copies = copies;
        this.searcher = new IndexSearcher(reader);
        searcher.setQueryCache(null);
        searcher.setSimilarity(Analysis.SIMILARITY);
    }

    /** All but duplicates. */
    static View of(Snapshot snapshot) throws IOException {
        DirectoryReader whole = snapshot.reader();
        if (snapshot.duplicates().isEmpty()) {
            return new View(snapshot, whole, Map.of());
        }
        Duplicates.Choice choice = snapshot.duplicates().among(record -> true);
        FixedBitSet shown = choice.hidden().clone();
        shown.flip(0, shown.length());
        return new View(snapshot, new RestrictedReader(whole, shown), choice.copies());
    }

    /**
     * A view of some documents, without duplicates among them.
     *
     * @param allowed their passages and records by index number; ownership is transferred
     */
    static View of(Snapshot snapshot, FixedBitSet allowed) throws IOException { // allowed: (maxDoc)
        Duplicates.Choice choice = snapshot.duplicates().among(allowed::get);
        allowed.andNot(choice.hidden());
        return new View(snapshot, new RestrictedReader(snapshot.reader(), allowed), choice.copies());
    }

    /**
     * The passages whose vectors have the largest inner product with {@code query}: exactly, or approximately in segments where
     * the plan is the graph.
     */
    List<Scored> nearest(float[] query, int k, Trace trace) throws IOException { // query: (dimension)
        TopHits top = new TopHits(Math.min(k, reader.numDocs()));
        VectorScan scan = new VectorScan(query, k);
        for (LeafReaderContext leaf : reader.leaves()) {
            long begin = System.nanoTime();
            SegmentVectors vectors = snapshot.vectors(leaf);
            Bits live = leaf.reader().getLiveDocs();
            int allowed = allowed(leaf);
            int found = 0;
            if (vectors.hasGraph() && snapshot.plan(allowed, vectors) == SearchPlan.GRAPH) {
                TopHits part = new TopHits(Math.min(k, allowed));
                found = vectors.search(query, Math.min(k, allowed), live, leaf.docBase, part);
                trace.add("dense graph", allowed, found, begin);
                if (found == Math.min(k, allowed)) {
                    part.drain().forEach(hit -> top.offer(hit.id(), (float) hit.score()));
                }
            }
            if (found
                    < Math.min(k, allowed)) { // no graph, or one whose search ended in a part that the filter excludes
                vectors.scan(scan, live, allowed, leaf.docBase, top);
                trace.add("dense scan", allowed, Math.min(k, allowed), begin);
            }
        }
        return top.drain();
    }

    /** The number of searchable passages of a segment. */
    private int allowed(LeafReaderContext leaf) {
        return allowed.computeIfAbsent(
                leaf.ord, ord -> snapshot.vectors(leaf).live(leaf.reader().getLiveDocs()));
    }

    /** The number of searchable passages. */
    int passages() {
        return reader.leaves().stream().mapToInt(this::allowed).sum();
    }

    /**
     * The best passages for the words of a question: score = BM25(passage) + 2 · BM25(document). The document's score adds
     * evidence from the rest of its text.
     */
    List<Scored> matching(String question, int k) throws IOException {
        Set<String> languages = snapshot.languages();
        List<Set<String>> words = Analysis.asked(question, languages);
        List<Set<String>> related = related(question, languages, words);
        int depth = Math.max(4 * k, LEXICAL_DEPTH);
        Map<Integer, Float> documents = new HashMap<>(); // record -> score
        for (ScoreDoc hit : searcher.search(query(IndexLayout.WHOLE, words, related), depth).scoreDocs) {
            documents.put(hit.doc, hit.score);
        }
        TopHits top = new TopHits(k);
        for (ScoreDoc hit : searcher.search(query(IndexLayout.CONTENT, words, related), depth).scoreDocs) {
            top.offer(hit.doc, hit.score + DOCUMENT_WEIGHT * documents.getOrDefault(snapshot.record(hit.doc), 0f));
        }
        return top.drain();
    }

    /** Of each word the exact terms of its compounds and parts; empty sets in a language without compounds. */
    private List<Set<String>> related(String question, Set<String> languages, List<Set<String>> words)
            throws IOException {
        boolean compounding = languages.stream().map(Languages::byCode).anyMatch(Language::compounds)
                && Languages.ofQuestion(
                                question,
                                languages.stream().map(Languages::byCode).toList())
                        .compounds();
        List<Set<String>> related = new ArrayList<>();
        for (Set<String> word : words) {
            Set<String> forms = new LinkedHashSet<>();
            word.forEach(term -> forms.add(term.startsWith(Analysis.EXACT) ? term.substring(1) : term));
            related.add(
                    compounding
                            ? snapshot.compounds().related(forms).stream()
                                    .map(form -> Analysis.EXACT + form)
                                    .collect(Collectors.toCollection(LinkedHashSet::new))
                            : Set.of());
        }
        return related;
    }

    private static Query query(String field, List<Set<String>> words, List<Set<String>> related) {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        boolean isPassage = field.equals(IndexLayout.CONTENT);
        int room = IndexSearcher.getMaxClauseCount();
        for (int i = 0; i < words.size(); i++) {
            List<Query> terms = new ArrayList<>();
            words.get(i).stream()
                    .filter(term -> isPassage || !term.startsWith(Analysis.EXACT))
                    .forEach(term -> terms.add(word(field, term)));
            related.get(i)
                    .forEach(term -> terms.add(new BoostQuery(new TermQuery(new Term(field, term)), COMPOUND_WEIGHT)));
            room -= terms.size();
            if (room < 0) {
                break;
            }
            query.add(new DisjunctionMaxQuery(terms, TIE), BooleanClause.Occur.SHOULD);
        }
        for (int i = 0; i + 1 < words.size() && isPassage; i++) {
            room -= words.get(i).size() + words.get(i + 1).size();
            if (room < 0) {
                break;
            }
            query.add(pair(field, words.get(i), words.get(i + 1)), BooleanClause.Occur.SHOULD);
        }
        return query.build();
    }

    private static Query word(String field, String term) {
        Query query = new TermQuery(new Term(field, term));
        return term.startsWith(Analysis.EXACT) ? new BoostQuery(query, EXACT_WEIGHT) : query;
    }

    /** Two adjacent words of a question, close to each other in a passage. */
    private static Query pair(String field, Set<String> first, Set<String> second) {
        MultiPhraseQuery.Builder pair = new MultiPhraseQuery.Builder().setSlop(PAIR_SLOP);
        for (Set<String> word : List.of(first, second)) {
            pair.add(word.stream().map(term -> new Term(field, term)).toArray(Term[]::new));
        }
        return new BoostQuery(pair.build(), PAIR_WEIGHT);
    }

    /** The passages themselves. */
    List<Hit> hits(List<Scored> found) throws IOException {
        List<Hit> hits = new ArrayList<>(found.size());
        for (Scored scored : found) {
            List<String> same = copies.getOrDefault(snapshot.record(scored.id()), List.of());
            hits.add(new Hit(snapshot.stored().passage(scored.id(), same), scored.score()));
        }
        return hits;
    }
}
