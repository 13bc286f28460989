package dev.pollux.rag.search;

import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Retriever;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Expands hits to the section around them: a small passage is found, and a larger one is read. The retriever is
 * <em>thread-safe</em> if the given one is.
 */
public final class ContextExpansion {

    private static final int CHILDREN = 4;
    private static final int MOST_HITS = 10_000;

    private ContextExpansion() {}

    /**
     * A retriever whose hits are grown by their neighbours under the same headings. Hits that grow into each other become one, with
     * the better score, so there can be fewer than topK. White space between two passages that the knowledge base does not store is
     * replaced by line breaks of the same length, so offsets stay true. The id of a grown passage is that of its first part.
     *
     * @param knowledge holds the documents of the hits
     * @param characters length at which a passage stops growing, in [1, 10^6]
     */
    public static Retriever sections(Retriever retriever, KnowledgeBase knowledge, int characters) {
        if (characters < 1 || characters > 1_000_000) {
            throw new IllegalArgumentException("characters must be in [1, 1000000] but was " + characters);
        }
        return query -> {
            List<Hit> hits = retriever.retrieve(query);
            long begin = System.nanoTime();
            Map<String, List<Passage>> documents = new HashMap<>();
            List<Hit> grown = new ArrayList<>();
            for (Hit hit : hits) {
                Passage passage = hit.passage();
                boolean inside = grown.stream().map(Hit::passage).anyMatch(other -> contains(other, passage));
                if (!inside) {
                    List<Passage> all = documents.computeIfAbsent(
                            passage.source() + "#" + passage.document(),
                            key -> knowledge.passages(passage.source(), passage.document()));
                    grown.add(new Hit(grown(passage, all, characters), hit.score()));
                }
            }
            query.trace().add("expand", hits.size(), grown.size(), begin);
            return List.copyOf(grown);
        };
    }

    /**
     * A retriever whose hits are the parents of the passages that are found, where they have one; see
     * {@link dev.pollux.rag.chunk.ChunkStrategy#PARENT_CHILD}. Hits with the same parent become one, with the better score;
     * therefore four times as many passages are searched, and there can still be fewer than topK. If no passage of the
     * knowledge base has a parent, the hits are those of the given retriever.
     *
     * @param knowledge holds the documents of the hits
     */
    public static Retriever parents(Retriever retriever, KnowledgeBase knowledge) {
        return query -> {
            if (!knowledge.hasParents()) {
                return retriever.retrieve(query);
            }
            List<Hit> hits = retriever.retrieve(query.withTopK(Math.min(MOST_HITS, CHILDREN * query.topK())));
            long begin = System.nanoTime();
            List<Hit> shown = new ArrayList<>();
            for (Hit hit : hits) {
                Passage passage = hit.passage();
                boolean inside = shown.stream().map(Hit::passage).anyMatch(other -> contains(other, passage));
                if (!inside && shown.size() < query.topK()) {
                    List<Passage> parts = knowledge.siblings(passage);
                    shown.add(parts.isEmpty() ? hit : new Hit(joined(parts, passage), hit.score()));
                }
            }
            query.trace().add("parents", hits.size(), shown.size(), begin);
            return List.copyOf(shown);
        };
    }

    private static boolean contains(Passage outer, Passage inner) {
        return outer.source().equals(inner.source())
                && outer.document().equals(inner.document())
                && outer.start() <= inner.start()
                && outer.end() >= inner.end();
    }

    private static Passage grown(Passage passage, List<Passage> all, int characters) {
        int at = -1;
        for (int i = 0; i < all.size(); i++) {
            at = all.get(i).id().equals(passage.id()) ? i : at;
        }
        if (at < 0) {
            return passage; // of another commit
        }
        int first = at;
        int last = at;
        boolean growing = true;
        while (growing) {
            growing = false;
            if (last + 1 < all.size() && fits(all, first, last + 1, characters)) {
                last++;
                growing = true;
            }
            if (first > 0 && fits(all, first - 1, last, characters)) {
                first--;
                growing = true;
            }
        }
        return first == last ? passage : joined(all.subList(first, last + 1), passage);
    }

    private static boolean fits(List<Passage> all, int first, int last, int characters) {
        Passage begin = all.get(first);
        Passage end = all.get(last);
        return begin.headings().equals(end.headings())
                && end.end() - begin.start() <= characters
                && all.get(Math.max(0, last - 1)).end() <= end.start();
    }

    private static Passage joined(List<Passage> parts, Passage hit) {
        Passage first = parts.get(0);
        StringBuilder text = new StringBuilder();
        for (Passage part : parts) {
            int gap = part.start() - first.start() - text.length();
            text.append("\n".repeat(Math.max(0, gap))).append(part.text());
        }
        return new Passage(
                first.id(),
                hit.origin(),
                headings(parts),
                text.toString(),
                first.start(),
                first.start() + text.length(),
                first.location().union(parts.get(parts.size() - 1).location()),
                first.lead(),
                first.mediaType(),
                first.metadata());
    }

    /** The headings that the parts share. */
    private static List<String> headings(List<Passage> parts) {
        List<String> shared = parts.get(0).headings();
        for (Passage part : parts) {
            int n = 0;
            while (n < Math.min(shared.size(), part.headings().size())
                    && shared.get(n).equals(part.headings().get(n))) {
                n++;
            }
            shared = shared.subList(0, n);
        }
        return shared;
    }
}
