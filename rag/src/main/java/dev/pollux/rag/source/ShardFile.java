package dev.pollux.rag.source;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * A file with documents and the vectors of their passages, big-endian:
 *
 * <pre>
 * int      0x50585348 ("PXSH")
 * int      version, {@value #VERSION}
 * header   fingerprint of the embedder (text), dimension (int), part (int), parts (int), name of the source (text), whether it
 *          was given (byte 1 or 0), path (text), link (text)
 * frames   those of {@link ReaderFrames}, and
 *          VECTORS  byte 64; int count; of each a text and its vector (dimension floats): those of the documents that follow, up to
 *                   the next frame of vectors
 *          the last is END
 * long     CRC-32C of all bytes before
 * </pre>
 */
final class ShardFile {

    static final int VERSION = 1;

    private static final int MAGIC = 0x50585348;
    private static final byte VECTORS = 64;
    private static final int BUFFER = 1 << 16;
    private static final int MOST_TEXTS = 1 << 24;
    private static final int MOST_DIMENSIONS = 1 << 16;

    private ShardFile() {}

    /** What a shard was made of. */
    record Header(
            String fingerprint,
            int dimension,
            int part,
            int parts,
            String name,
            boolean named,
            String path,
            String link) {

        void write(DataOutputStream out) throws IOException {
            out.writeInt(MAGIC);
            out.writeInt(VERSION);
            ReaderFrames.text(out, fingerprint);
            out.writeInt(dimension);
            out.writeInt(part);
            out.writeInt(parts);
            ReaderFrames.text(out, name);
            out.writeBoolean(named);
            ReaderFrames.text(out, path);
            ReaderFrames.text(out, link);
        }

        static Header read(DataInputStream in) throws IOException {
            if (in.readInt() != MAGIC) {
                throw new ReaderFrames.MalformedFrameException("it is no shard");
            }
            int version = in.readInt();
            if (version != VERSION) {
                throw new ReaderFrames.MalformedFrameException("it has version " + version + " and not " + VERSION);
            }
            String fingerprint = ReaderFrames.text(in);
            int dimension = in.readInt();
            int part = in.readInt();
            int parts = in.readInt();
            if (dimension < 1
                    || dimension > MOST_DIMENSIONS
                    || part < 0
                    || part >= parts
                    || parts > Shards.MOST_PARTS) {
                throw new ReaderFrames.MalformedFrameException(
                        "it is part " + part + " of " + parts + ", of vectors with " + dimension + " dimensions");
            }
            String name = ReaderFrames.text(in);
            boolean named = in.readBoolean();
            return new Header(
                    fingerprint, dimension, part, parts, name, named, ReaderFrames.text(in), ReaderFrames.text(in));
        }

        /** Whether another shard is a part of the same. */
        boolean belongsTo(Header other) {
            return equals(new Header(
                    other.fingerprint,
                    other.dimension,
                    part,
                    other.parts,
                    other.name,
                    other.named,
                    other.path,
                    other.link));
        }
    }

    /** Writes a file under a name of its own and moves it when it is whole; two writers of one file do no harm. */
    static final class Output implements AutoCloseable {
        private final Path target;
        private final Path temporary;
        private final CRC32C crc = new CRC32C();
        private final DataOutputStream data;

        Output(Path target) throws IOException {
            this.target = target;
            this.temporary = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".tmp");
            Files.createDirectories(target.toAbsolutePath().getParent());
            this.data = new DataOutputStream(
                    new CheckedOutputStream(new BufferedOutputStream(Files.newOutputStream(temporary), BUFFER), crc));
        }

        DataOutputStream data() {
            return data;
        }

        void finish() throws IOException {
            data.writeByte(ReaderFrames.END);
            data.writeLong(crc.getValue());
            data.close();
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }

        @Override
        public void close() throws IOException {
            data.close();
            Files.deleteIfExists(temporary);
        }
    }

    /** Writes vectors by their texts and returns their number. */
    static int vectors(DataOutputStream out, Map<String, float[]> vectors) throws IOException {
        out.writeByte(VECTORS);
        out.writeInt(vectors.size());
        for (Map.Entry<String, float[]> each : vectors.entrySet()) {
            ReaderFrames.text(out, each.getKey());
            ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * each.getValue().length);
            bytes.asFloatBuffer().put(each.getValue());
            out.write(bytes.array());
        }
        return vectors.size();
    }

    /**
     * Checks the checksum of a file and reads its header.
     *
     * @throws MalformedFileException if it is damaged
     */
    static Header check(Path file) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER)) {
            CRC32C crc = new CRC32C();
            byte[] buffer = new byte[BUFFER];
            for (long rest = Files.size(file) - Long.BYTES; rest > 0; ) {
                int read = in.read(buffer, 0, (int) Math.min(buffer.length, rest));
                if (read < 0) {
                    break;
                }
                crc.update(buffer, 0, read);
                rest -= read;
            }
            byte[] sum = in.readNBytes(Long.BYTES);
            if (sum.length < Long.BYTES || ByteBuffer.wrap(sum).getLong() != crc.getValue()) {
                throw new MalformedFileException(
                        "Shard " + file + " is damaged: its checksum does not match; write it again");
            }
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        try (DataInputStream in = open(file)) {
            return Header.read(in);
        } catch (ReaderFrames.MalformedFrameException | EOFException e) {
            throw new MalformedFileException("Shard " + file + " cannot be read: " + e.getMessage(), e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static DataInputStream open(Path file) throws IOException {
        return new DataInputStream(new BufferedInputStream(Files.newInputStream(file), BUFFER));
    }

    static StorageException unreadable(Path file, IOException e) {
        return new StorageException("Shard " + file + " cannot be read; check the path and its permissions", e);
    }

    /** Takes vectors by their texts. */
    interface VectorSink {
        void vectors(Map<String, float[]> vectors);
    }

    /** Passes what is in a file, which was checked, to sinks. */
    static void pass(Path file, DocumentSink sink, VectorSink to) {
        try (DataInputStream in = open(file)) {
            int dimension = Header.read(in).dimension();
            byte type = in.readByte();
            while (type != ReaderFrames.END) {
                if (type == VECTORS) {
                    to.vectors(vectors(in, dimension));
                } else {
                    ReaderFrames.frame(type, in, sink);
                }
                type = in.readByte();
            }
        } catch (ReaderFrames.MalformedFrameException | EOFException e) {
            throw new MalformedFileException("Shard " + file + " cannot be read: " + e.getMessage(), e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static Map<String, float[]> vectors(DataInputStream in, int dimension) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > MOST_TEXTS) {
            throw new ReaderFrames.MalformedFrameException("a number of vectors is " + count);
        }
        Map<String, float[]> vectors = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String text = ReaderFrames.text(in);
            float[] vector = new float[dimension];
            byte[] bytes = new byte[Float.BYTES * dimension];
            in.readFully(bytes);
            ByteBuffer.wrap(bytes).asFloatBuffer().get(vector);
            vectors.put(text, vector);
        }
        return vectors;
    }

    /** An embedder that remembers the vectors that it made of passages. <em>Confined to one thread.</em> */
    static final class Recorder implements Embedder {
        private final Embedder embedder;
        private Map<String, float[]> made = new LinkedHashMap<>();

        Recorder(Embedder embedder) {
            this.embedder = embedder;
        }

        boolean knows(String text) {
            return made.containsKey(text);
        }

        /** What was made since the last call. */
        Map<String, float[]> taken() {
            Map<String, float[]> taken = made;
            made = new LinkedHashMap<>();
            return taken;
        }

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            float[][] rows = embedder.embed(texts, role); // (texts, dimension)
            for (int i = 0; i < rows.length && role == TextRole.PASSAGE; i++) {
                made.put(texts.get(i), rows[i]);
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
