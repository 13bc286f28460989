package dev.pollux.rag.source;

import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shards of a source, which {@link ShardWriter} wrote, as a source of documents and an embedder that knows their vectors. An
 * ingest of both is as one of the source itself, but embeds nothing.
 *
 * <pre>{@code
 * Shards shards = Shards.of(files);
 * try (KnowledgeBase knowledge = KnowledgeBase.open(folder, shards.embedder(embedder))) {
 *     knowledge.ingest(shards.source()).run();
 * }
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class Shards {

    static final int MOST_PARTS = 100_000;

    /** Vectors that are kept for the ingest, which asks for them soon after their documents. */
    private static final int MOST_VECTORS = 1 << 14;

    private final List<Path> files;
    private final ShardFile.Header header;
    private final Map<String, float[]> vectors = Collections.synchronizedMap(new LatestVectors());

    private Shards(List<Path> files, ShardFile.Header header) {
        this.files = List.copyOf(files);
        this.header = header;
    }

    /** Forgets the oldest. */
    private static final class LatestVectors extends LinkedHashMap<String, float[]> {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, float[]> eldest) {
            return size() > MOST_VECTORS;
        }
    }

    /**
     * Checks all parts of one source.
     *
     * @param files in any order
     * @throws dev.pollux.MalformedFileException if a shard is damaged
     * @throws StorageException if a shard cannot be read, belongs to another source or embedder, or a part is missing
     */
    public static Shards of(List<Path> files) {
        if (files.isEmpty()) {
            throw new IllegalArgumentException("files must name the shards of a source but was empty");
        }
        ShardFile.Header first = ShardFile.check(files.get(0));
        BitSet parts = new BitSet();
        List<Integer> missing = new ArrayList<>();
        for (Path file : files) {
            ShardFile.Header header = ShardFile.check(file);
            if (!header.belongsTo(first) || parts.get(header.part())) {
                throw new StorageException("Shard " + file + " is part " + header.part() + " of " + header.parts()
                        + " of "
                        + header.name() + ", and " + files.get(0) + " is part " + first.part() + " of " + first.parts()
                        + " of " + first.name() + "; give each part of one source once, by one embedder");
            }
            parts.set(header.part());
        }
        for (int part = 0; part < first.parts(); part++) {
            if (!parts.get(part)) {
                missing.add(part);
            }
        }
        if (!missing.isEmpty()) {
            throw new StorageException("The shards of " + first.name() + " have " + first.parts() + " parts, and parts "
                    + missing + " were not given; an ingest without them would delete their documents");
        }
        return new Shards(files, first);
    }

    /** The documents of all shards, under the name and the path of their source. */
    public DocumentSource source() {
        return new Documents();
    }

    /**
     * An embedder that gives the vectors of the shards for their texts, and asks another for all other texts.
     *
     * @param embedder the one that the shards were written with, or its equal; to close the result does not close it
     * @throws IllegalArgumentException if it is another one
     */
    public Embedder embedder(Embedder embedder) {
        if (!embedder.info().fingerprint().equals(header.fingerprint())
                || embedder.info().dimension() != header.dimension()) {
            throw new IllegalArgumentException("The shards of " + header.name() + " have vectors of embedder "
                    + header.fingerprint() + ", not of " + embedder.info().name() + " ("
                    + embedder.info().fingerprint() + "); write them with this embedder");
        }
        return new Known(embedder);
    }

    private final class Documents implements DocumentSource {

        @Override
        public String name() {
            return header.name();
        }

        @Override
        public String path() {
            return header.path();
        }

        @Override
        public String link() {
            return header.link();
        }

        @Override
        public boolean isNamed() {
            return header.named();
        }

        @Override
        public void read(DocumentSink sink) {
            files.forEach(file -> ShardFile.pass(file, sink, vectors::putAll));
        }
    }

    private final class Known implements Embedder {
        private final Embedder embedder;

        Known(Embedder embedder) {
            this.embedder = embedder;
        }

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            float[][] rows = new float[texts.size()][]; // (texts, dimension)
            List<String> unknown = new ArrayList<>();
            for (int i = 0; i < rows.length; i++) {
                float[] known = role == TextRole.PASSAGE ? vectors.get(texts.get(i)) : null; // (dimension)
                if (known == null) {
                    unknown.add(texts.get(i));
                } else {
                    rows[i] = known.clone();
                }
            }
            if (!unknown.isEmpty()) {
                float[][] made = embedder.embed(unknown, role); // (unknown, dimension)
                int next = 0;
                for (int i = 0; i < rows.length; i++) {
                    rows[i] = rows[i] == null ? made[next++] : rows[i];
                }
            }
            return rows;
        }

        @Override
        public EmbedderInfo info() {
            return embedder.info();
        }

        @Override
        public int countTokens(String text) {
            return embedder.countTokens(text);
        }

        @Override
        public void close() {
            // The embedder is the caller's.
        }
    }
}
