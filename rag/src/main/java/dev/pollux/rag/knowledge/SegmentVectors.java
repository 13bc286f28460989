package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.IntPredicate;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.SegmentReader;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/**
 * The vectors of one Lucene segment: on the heap, in a mapped file, or in the index; with a graph if there is one. A segment is immutable
 * except for its deletions, so it is loaded once and shared by every snapshot that contains it.
 */
final class SegmentVectors {

    private final String id;
    private final int[] docs; // (rows) ascending ids in the segment
    private final VectorRows rows; // (rows, dimension)
    private final @Nullable VectorCodes codes;
    private final @Nullable VectorGraph graph;
    private final DerivedFiles.OfSegment files;

    private SegmentVectors(String id, int[] docs, DerivedFiles.OfSegment files, Loaded loaded) {
        this.id = id;
        this.docs = docs;
        this.files = files;
        this.rows = loaded.rows();
        this.codes = loaded.codes();
        this.graph = loaded.graph();
    }

    /** What was found of a segment. */
    private record Loaded(
            VectorRows rows,
            @Nullable VectorCodes codes,
            @Nullable VectorGraph graph) {}

    /** The id of a segment in hex. */
    static String id(LeafReader segment) {
        if (segment instanceof SegmentReader known) {
            return HexFormat.of().formatHex(known.getSegmentInfo().info.getId());
        }
        throw new IllegalStateException("A segment of the index is a " + segment.getClass());
    }

    /**
     * Opens the vectors: the derived files if the commit names them and they are whole enough; otherwise a small segment is
     * loaded to the heap, and a large one is read from the index on demand.
     */
    static SegmentVectors read(LeafReader segment, IndexSettings settings, DerivedFiles derived) throws IOException {
        String id = id(segment);
        int[] docs = LuceneRows.docs(segment);
        DerivedFiles.OfSegment files = derived.of(id);
        VectorFile mapped = files.vectors(docs.length, settings.dimension());
        if (mapped != null) {
            return new SegmentVectors(id, docs, files, new Loaded(mapped, mapped.codes(), files.graph(mapped)));
        }
        VectorRows rows = new LuceneRows(segment, docs, settings.dimension());
        return new SegmentVectors(
                id, docs, files, new Loaded(settings.isMapped(docs.length) ? rows : Vectors.of(rows), null, null));
    }

    String id() {
        return id;
    }

    /** The derived files that these vectors were loaded from or could not be loaded from. */
    DerivedFiles.OfSegment files() {
        return files;
    }

    VectorRows rows() {
        return rows;
    }

    /**
     * Whether these vectors serve every snapshot with the segment; not if they are read from its reader, or if a file was
     * damaged and may have been mended.
     */
    boolean isShared() {
        return !(rows instanceof LuceneRows) && (graph != null || files.graphFile() == null);
    }

    boolean isMapped() {
        return rows instanceof VectorFile;
    }

    boolean hasGraph() {
        return graph != null;
    }

    /**
     * Offers every live row's inner product with the query to {@code top}, under its id in the whole index.
     *
     * @param allowed number of live rows, see {@link #live}
     */
    void scan(VectorScan scan, @Nullable Bits live, int allowed, int docBase, TopHits top) {
        scan.over(
                rows,
                codes,
                live == null ? null : rows(live, allowed),
                (row, dot) -> top.offer(docBase + docs[row], dot));
    }

    /** The live rows in ascending order; {@code allowed} is their number. */
    private int[] rows(Bits live, int allowed) {
        int[] found = new int[allowed];
        int count = 0;
        if (live instanceof FixedBitSet set && docs.length > 0) {
            int row = 0;
            int doc = set.nextSetBit(0); // far fewer than documents where a filter allows few
            while (doc <= docs[docs.length - 1]) {
                while (docs[row] < doc) {
                    row++;
                }
                if (docs[row] == doc) {
                    found[count++] = row;
                }
                doc = doc + 1 < set.length() ? set.nextSetBit(doc + 1) : DocIdSetIterator.NO_MORE_DOCS;
            }
        } else {
            for (int row = 0; count < allowed; row++) {
                found[count] = row;
                count += live.get(docs[row]) ? 1 : 0;
            }
        }
        return found;
    }

    /**
     * Offers about the {@code k} best live rows to {@code top}.
     *
     * @return the number of rows offered
     * @throws IllegalStateException if there is no graph
     */
    int search(float[] query, int k, @Nullable Bits live, int docBase, TopHits top) throws IOException {
        return search(query, k, VectorGraph.candidates(k), live, docBase, top);
    }

    /** As the other, with a number of rows that are compared exactly. */
    int search(float[] query, int k, int candidates, @Nullable Bits live, int docBase, TopHits top) throws IOException {
        VectorGraph known = graph;
        if (known == null) {
            throw new IllegalStateException("Segment " + id + " has no graph");
        }
        IntPredicate allowed = live == null ? row -> true : row -> live.get(docs[row]);
        return known.search(query, k, candidates, allowed, (row, dot) -> top.offer(docBase + docs[row], dot));
    }

    /** The number of rows that are not deleted. */
    int live(@Nullable Bits live) {
        if (live == null) {
            return docs.length;
        }
        int count = 0;
        for (int doc : docs) {
            count += live.get(doc) ? 1 : 0;
        }
        return count;
    }

    /** The vector of a document of the segment, or null if it has none. */
    float @Nullable [] vector(int doc) {
        int row = Arrays.binarySearch(docs, doc);
        return row < 0 ? null : rows.get(row); // (dimension)
    }
}
