package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.BytesRef;

/**
 * The vectors of a segment, read from the Lucene index on demand. Valid as long as its reader. <em>Immutable,
 * thread-safe.</em>
 */
final class LuceneRows implements VectorRows {

    private final LeafReader segment;
    private final int[] docs; // (rows) ascending ids in the segment
    private final int dimension;

    LuceneRows(LeafReader segment, int[] docs, int dimension) {
        this.segment = segment;
        this.docs = docs;
        this.dimension = dimension;
    }

    /** The documents that have a vector, deleted ones too: rows depend on the segment alone. */
    static int[] docs(LeafReader segment) throws IOException {
        BinaryDocValues values = segment.getBinaryDocValues(IndexLayout.VECTOR);
        if (values == null) {
            return new int[0];
        }
        int[] docs = new int[segment.maxDoc()];
        int rows = 0;
        for (int doc = values.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = values.nextDoc()) {
            docs[rows++] = doc;
        }
        return Arrays.copyOf(docs, rows);
    }

    @Override
    public int rows() {
        return docs.length;
    }

    @Override
    public int dimension() {
        return dimension;
    }

    @Override
    public void copy(int first, int count, float[] into) {
        try {
            BinaryDocValues values = segment.getBinaryDocValues(IndexLayout.VECTOR);
            for (int row = 0; row < count; row++) {
                values.advanceExact(docs[first + row]);
                BytesRef bytes = values.binaryValue();
                if (bytes.length != dimension * Float.BYTES) {
                    throw new MalformedFileException("A vector in the knowledge base has " + bytes.length
                            + " bytes where dimension " + dimension + " needs " + dimension * Float.BYTES
                            + "; delete the knowledge base and ingest again");
                }
                ByteBuffer.wrap(bytes.bytes, bytes.offset, bytes.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(into, row * dimension, dimension);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
