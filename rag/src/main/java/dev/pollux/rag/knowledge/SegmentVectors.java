package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/**
 * The vectors of one Lucene segment, on the heap. A segment is immutable except for its deletions, so it is loaded once and
 * shared by every snapshot that contains it.
 */
final class SegmentVectors {

    private final int[] docs; // (rows) ascending ids in the segment
    private final Vectors vectors; // (rows, dimension)

    private SegmentVectors(int[] docs, Vectors vectors) {
        this.docs = docs;
        this.vectors = vectors;
    }

    static SegmentVectors read(LeafReader reader, int dimension) throws IOException {
        int[] docs = docs(reader);
        Vectors vectors = new Vectors(docs.length, dimension);
        BinaryDocValues values = reader.getBinaryDocValues(IndexLayout.VECTOR);
        for (int row = 0; row < docs.length; row++) {
            values.advanceExact(docs[row]);
            BytesRef bytes = values.binaryValue();
            if (bytes.length != dimension * Float.BYTES) {
                throw new MalformedFileException("A vector in the knowledge base has " + bytes.length
                        + " bytes where dimension " + dimension + " needs " + dimension * Float.BYTES
                        + "; delete the knowledge base and ingest again");
            }
            vectors.set(row, ByteBuffer.wrap(bytes.bytes, bytes.offset, bytes.length));
        }
        return new SegmentVectors(docs, vectors);
    }

    /** The documents that have a vector and are not deleted now; a deleted one never comes back. */
    private static int[] docs(LeafReader reader) throws IOException {
        BinaryDocValues values = reader.getBinaryDocValues(IndexLayout.VECTOR);
        if (values == null) {
            return new int[0];
        }
        Bits live = reader.getLiveDocs();
        int[] docs = new int[reader.numDocs()];
        int rows = 0;
        for (int doc = values.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = values.nextDoc()) {
            if (live == null || live.get(doc)) {
                docs[rows++] = doc;
            }
        }
        return Arrays.copyOf(docs, rows);
    }

    /** Offers every live row's inner product with {@code query} to {@code top}, under its id in the whole index. */
    void scan(float[] query, @Nullable Bits live, int docBase, TopHits top) { // query: (dimension)
        for (int row = 0; row < docs.length; row++) {
            if (live == null || live.get(docs[row])) {
                top.offer(docBase + docs[row], vectors.dot(query, row));
            }
        }
    }

    /** The number of rows that are not deleted. */
    int live(@Nullable Bits live) {
        return live == null
                ? docs.length
                : (int) Arrays.stream(docs).filter(live::get).count();
    }

    /** The vector of a document of the segment, or null if it has none. */
    float @Nullable [] vector(int doc) {
        int row = Arrays.binarySearch(docs, doc);
        return row < 0 ? null : vectors.get(row); // (dimension)
    }
}
