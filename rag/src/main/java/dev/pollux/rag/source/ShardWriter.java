package dev.pollux.rag.source;

import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.rag.chunk.Chunk;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.Chunker;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Computes the vectors of a part of a source's documents and writes both to a file, a shard. What is written depends on the source,
 * the embedder and the chunking only, so the parts of a source can be computed on several machines. {@link Shards} brings them to
 * a knowledge base.
 *
 * <pre>{@code
 * ShardWriter writer = ShardWriter.of(embedder, ChunkOptions.DEFAULTS);
 * writer.write(DocumentSource.folder(docs), 3, 8, folder.resolve("3.shard")); // the fourth of eight parts
 * }</pre>
 *
 * <p><em>As thread-safe as the embedder and the source.</em>
 */
public final class ShardWriter {

    /*
     * A document belongs to the part that the hash of its id names. So each part walks over the whole source, which is cheap, and
     * reads only its own files: of all others the source is told that they are unchanged. The documents of a file are those of one part,
     * except records (JSON Lines), which are told apart when they are read. What is reported of a file or a record, such as the
     * reason why it cannot be read, belongs to a part in the same way.
     */

    /** Texts that are embedded at once, so that an embedder with several workers has work for them. */
    private static final int BATCH = 64;

    private final Embedder embedder;
    private final ChunkOptions chunking;

    private ShardWriter(Embedder embedder, ChunkOptions chunking) {
        this.embedder = embedder;
        this.chunking = chunking;
    }

    /**
     * A writer for the passages that an embedder reads.
     *
     * @param chunking that of the knowledge base; vectors of passages that are cut otherwise are of no use there
     */
    public static ShardWriter of(Embedder embedder, ChunkOptions chunking) {
        return new ShardWriter(embedder, chunking);
    }

    /**
     * Writes a shard atomically.
     *
     * @param part from 0 to {@code parts} - 1
     * @param parts number of parts, in [1, 100000]
     * @throws IllegalArgumentException if there is no such part
     * @throws StorageException if the source cannot be read or the file cannot be written
     */
    public ShardReport write(DocumentSource source, int part, int parts, Path file) {
        if (parts < 1 || parts > Shards.MOST_PARTS || part < 0 || part >= parts) {
            throw new IllegalArgumentException("part must be in [0, parts) and parts in [1, " + Shards.MOST_PARTS
                    + "] but were " + part + " and " + parts);
        }
        try (ShardFile.Output out = new ShardFile.Output(file)) {
            new ShardFile.Header(
                            embedder.info().fingerprint(),
                            embedder.info().dimension(),
                            part,
                            parts,
                            source.name(),
                            source.isNamed(),
                            source.path(),
                            source.link())
                    .write(out.data());
            PartSink sink = new PartSink(part, parts, out);
            source.read(sink);
            sink.flush();
            out.finish();
            return new ShardReport(file.toString(), sink.documents, sink.vectors);
        } catch (IOException | UncheckedIOException e) {
            throw new StorageException("Shard " + file + " cannot be written: " + e, e);
        }
    }

    /** Writes what belongs to one part. */
    private final class PartSink implements DocumentSink {

        private final int part;
        private final int parts;
        private final ShardFile.Output out;
        private final ReaderFrames.Writing frames;
        private final ShardFile.Recorder recorder = new ShardFile.Recorder(embedder);
        private final Chunker chunker = Chunker.of(recorder, chunking);
        private final List<Document> pending = new ArrayList<>();
        private final Set<String> texts = new HashSet<>(); // of the pending documents
        private String file = ""; // that is being read; empty for records
        private int documents;
        private int vectors;

        PartSink(int part, int parts, ShardFile.Output out) {
            this.part = part;
            this.parts = parts;
            this.out = out;
            this.frames = new ReaderFrames.Writing(out.data());
        }

        private boolean isMine(String id) {
            return Math.floorMod(id.hashCode(), parts) == part;
        }

        /** Whether a document, which may be one of several of a file, is of this part. */
        private boolean isRead(String id) {
            return !file.isEmpty() && id.startsWith(file) || isMine(id);
        }

        @Override
        public void expect(long count) {
            // It is the number of all parts.
        }

        @Override
        public boolean isUnchanged(String id, FileVersion version) {
            boolean records = id.endsWith("/");
            file = records ? "" : id;
            return !records && !isMine(id);
        }

        @Override
        public void document(Document document) {
            if (isRead(document.id())) {
                pending.add(document);
                for (Chunk chunk : chunker.split(document)) {
                    texts.add(chunk.embeddingText());
                }
                if (texts.size() >= BATCH) {
                    flush();
                }
            }
        }

        void flush() {
            List<String> unknown = texts.stream()
                    .filter(text -> !recorder.knows(text))
                    .sorted()
                    .toList();
            for (int from = 0; from < unknown.size(); from += BATCH) {
                recorder.embed(unknown.subList(from, Math.min(from + BATCH, unknown.size())), TextRole.PASSAGE);
            }
            try {
                vectors += ShardFile.vectors(out.data(), recorder.taken());
                for (Document document : pending) {
                    ReaderFrames.document(out.data(), document);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            documents += pending.size();
            pending.clear();
            texts.clear();
        }

        @Override
        public void skipped(String id, String reason) {
            if (isRead(id)) {
                frames.skipped(id, reason);
            }
        }

        @Override
        public void failedRecord(String id, String reason) {
            if (isRead(id)) {
                frames.failedRecord(id, reason);
            }
        }

        @Override
        public void unread(String id, String kind, String reason) {
            if (isMine(id)) {
                frames.unread(id, kind, reason);
            }
        }

        @Override
        public void notice(String id, String message) {
            if (isRead(id)) {
                frames.notice(id, message);
            }
        }
    }
}
