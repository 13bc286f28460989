package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.text.Languages;
import dev.pollux.rag.knowledge.TopHits.Scored;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Trace;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The searches of a store. Each reads one commit. <em>Thread-safe.</em> */
final class KnowledgeSearch {

    private final Store store;
    private final Embedder embedder;

    KnowledgeSearch(Store store, Embedder embedder) {
        this.store = store;
        this.embedder = embedder;
    }

    List<Hit> dense(Query query) {
        return nearest(embed(query), query);
    }

    /** As {@link #dense}, for the vector of the query. */
    List<Hit> nearest(float[] vector, Query query) { // vector: (dimension)
        return store.read(snapshot -> {
            View view = view(snapshot, query);
            return hits(view, view.nearest(vector, query.topK(), query.trace()), query.trace());
        });
    }

    List<Hit> lexical(Query query) {
        return store.read(snapshot -> {
            View view = view(snapshot, query);
            return hits(view, matching(view, query, query.topK()), query.trace());
        });
    }

    /** Both, fused by reciprocal rank with these weights. */
    List<Hit> hybrid(Query query, double dense, double lexical) {
        if (unreadLanguage(query).isPresent()) {
            return store.read(snapshot -> {
                View view = view(snapshot, query);
                List<Scored> found = matching(view, query, query.topK());
                return hits(view, Fusion.fuse(List.of(found), new double[] {1}, query.topK()), query.trace());
            });
        }
        float[] vector = embed(query); // (dimension)
        int depth = Math.max(Fusion.ARM_DEPTH, query.topK());
        return store.read(snapshot -> {
            View view = view(snapshot, query);
            List<Scored> near = view.nearest(vector, depth, query.trace());
            List<Scored> matching = matching(view, query, depth);
            long begin = System.nanoTime();
            List<Scored> fused = Fusion.fuse(List.of(near, matching), new double[] {dense, lexical}, query.topK());
            query.trace().add("fusion", near.size() + matching.size(), fused.size(), begin);
            return hits(view, fused, query.trace());
        });
    }

    Optional<String> unreadLanguage(Query query) {
        EmbedderInfo info = embedder.info();
        return info.languages().isEmpty()
                ? Optional.empty()
                : Optional.of(store.read(snapshot -> Languages.ofQuestion(
                                        query.text(),
                                        snapshot.languages().stream()
                                                .map(Languages::byCode)
                                                .toList())
                                .code()))
                        .filter(code -> !info.reads(code));
    }

    private static View view(Snapshot snapshot, Query query) throws IOException {
        long begin = System.nanoTime();
        View view = snapshot.view(query.filter());
        if (query.trace().isRecording()) {
            query.trace().add("filter", snapshot.passageCount(), view.passages(), begin);
        }
        return view;
    }

    private static List<Scored> matching(View view, Query query, int k) throws IOException {
        long begin = System.nanoTime();
        List<Scored> found = view.matching(query.text(), k);
        if (query.trace().isRecording()) {
            query.trace().add("lexical", view.passages(), found.size(), begin);
        }
        return found;
    }

    private static List<Hit> hits(View view, List<Scored> found, Trace trace) throws IOException {
        long begin = System.nanoTime();
        List<Hit> hits = view.hits(found);
        trace.add("read", found.size(), hits.size(), begin);
        return hits;
    }

    private float[] embed(Query query) { // (dimension)
        store.checkOpen();
        long begin = System.nanoTime();
        float[] vector = TextVector.of(embedder, query.text(), TextRole.QUERY);
        query.trace().add("embed", 1, 1, begin);
        return vector;
    }
}
