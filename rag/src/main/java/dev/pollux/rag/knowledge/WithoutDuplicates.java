package dev.pollux.rag.knowledge;

import java.io.IOException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FilterDirectoryReader;
import org.apache.lucene.index.FilterLeafReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;

/** An index in which hidden duplicates count as deleted. Closed by closing the reader that it shows. */
final class WithoutDuplicates extends FilterDirectoryReader {

    private final Duplicates duplicates;

    WithoutDuplicates(DirectoryReader in, Duplicates duplicates) throws IOException {
        super(in, new Wrapper(duplicates));
        this.duplicates = duplicates;
    }

    @Override
    protected DirectoryReader doWrapDirectoryReader(DirectoryReader in) throws IOException {
        return new WithoutDuplicates(in, duplicates);
    }

    @Override
    public CacheHelper getReaderCacheHelper() {
        return in.getReaderCacheHelper();
    }

    /** Wraps the segments in their order. */
    private static final class Wrapper extends SubReaderWrapper {

        private final Duplicates duplicates;
        private int docBase;

        Wrapper(Duplicates duplicates) {
            this.duplicates = duplicates;
        }

        @Override
        public LeafReader wrap(LeafReader reader) {
            Segment segment = new Segment(reader, duplicates, docBase);
            docBase += reader.maxDoc();
            return segment;
        }
    }

    /** A segment whose hidden documents are not live. */
    private static final class Segment extends FilterLeafReader {

        private final FixedBitSet live; // (maxDoc)

        Segment(LeafReader in, Duplicates duplicates, int docBase) {
            super(in);
            this.live = new FixedBitSet(Math.max(1, in.maxDoc()));
            Bits before = in.getLiveDocs();
            for (int doc = 0; doc < in.maxDoc(); doc++) {
                if ((before == null || before.get(doc)) && !duplicates.isHidden(docBase + doc)) {
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
