package dev.pollux.rag.knowledge;

import java.io.IOException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FilterDirectoryReader;
import org.apache.lucene.index.FilterLeafReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;

/**
 * A view of an index in which only some documents are live; the others appear as deleted. It is closed with the underlying
 * reader.
 */
final class RestrictedReader extends FilterDirectoryReader {

    private final Bits shown; // (maxDoc)

    /** @param shown which documents, by their numbers in the whole index, are live if they are not deleted */
    RestrictedReader(DirectoryReader in, Bits shown) throws IOException {
        super(in, new Wrapper(shown));
        this.shown = shown;
    }

    @Override
    protected DirectoryReader doWrapDirectoryReader(DirectoryReader in) throws IOException {
        return new RestrictedReader(in, shown);
    }

    @Override
    public CacheHelper getReaderCacheHelper() {
        return in.getReaderCacheHelper();
    }

    /** Wraps the segments in their order. */
    private static final class Wrapper extends SubReaderWrapper {

        private final Bits shown;
        private int docBase;

        Wrapper(Bits shown) {
            this.shown = shown;
        }

        @Override
        public LeafReader wrap(LeafReader reader) {
            Segment segment = new Segment(reader, shown, docBase);
            docBase += reader.maxDoc();
            return segment;
        }
    }

    /** A segment whose other documents are not live. */
    private static final class Segment extends FilterLeafReader {

        private final FixedBitSet live; // (maxDoc)

        Segment(LeafReader in, Bits shown, int docBase) {
            super(in);
            this.live = new FixedBitSet(Math.max(1, in.maxDoc()));
            Bits before = in.getLiveDocs();
            for (int doc = 0; doc < in.maxDoc(); doc++) {
                if ((before == null || before.get(doc)) && shown.get(docBase + doc)) {
                    live.set(doc);
                }
            }
        }

        @Override
        public Bits getLiveDocs() {
            return live;
        }

        @Override
        public int numDocs() {
            return live.cardinality();
        }

        @Override
        public CacheHelper getCoreCacheHelper() {
            return in.getCoreCacheHelper();
        }

        @Override
        public CacheHelper getReaderCacheHelper() {
            return in.getReaderCacheHelper();
        }
    }
}
