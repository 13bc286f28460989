package dev.pollux.tensor;

import dev.pollux.StorageException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a GGUF file of version 3: the header first, then the tensors in order, in pieces of any size. The layout is described
 * at {@link GgufReader}. <em>Confined to one thread.</em>
 *
 * <pre>{@code
 * try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
 *     for (GgufWriter.Tensor tensor : tensors) {
 *         writer.append(encoded(tensor));
 *     }
 *     writer.finish();
 * }
 * }</pre>
 */
public final class GgufWriter implements AutoCloseable {

    /**
     * A tensor to write. <em>Immutable.</em>
     *
     * @param name at most 63 bytes in UTF-8
     * @param type a type that GGUF has
     * @param shape dimensions, slowest first, 1 to 4; the last is a multiple of the type's block size
     */
    public record Tensor(String name, DType type, List<Long> shape) {

        public Tensor {
            shape = List.copyOf(shape);
            if (utf8(name).length > MAX_NAME_BYTES) {
                throw new IllegalArgumentException(
                        "name must have at most " + MAX_NAME_BYTES + " bytes but was " + name);
            }
            if (type.ggufId() < 0) {
                throw new IllegalArgumentException("type of " + name + " must be one of GGUF but was " + type);
            }
            if (shape.isEmpty() || shape.size() > MAX_DIMENSIONS) {
                throw new IllegalArgumentException(
                        name + " must have 1 to " + MAX_DIMENSIONS + " dimensions but is " + shape);
            }
            long row = shape.get(shape.size() - 1);
            if (row % type.blockSize() != 0) {
                throw new IllegalArgumentException(name + " has rows of " + row + ", which must be a multiple of "
                        + type.blockSize() + ", the block of " + type);
            }
        }

        /** The number of elements. */
        public long elements() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }

        /** The size in the file, without padding. */
        public long bytes() {
            return elements() / type.blockSize() * type.blockBytes();
        }
    }

    private static final int MAX_NAME_BYTES = 63;
    private static final int MAX_DIMENSIONS = 4;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final String ALIGNMENT = "general.alignment";

    private final Path file;
    private final FileChannel channel;
    private final List<Tensor> tensors;
    private final int alignment;
    private int current; // index of the tensor that is being written
    private long left; // bytes of it that have not been written

    private GgufWriter(Path file, List<Tensor> tensors, int alignment, byte[] header) {
        this.file = file;
        this.tensors = tensors;
        this.alignment = alignment;
        this.left = tensors.isEmpty() ? 0 : tensors.get(0).bytes();
        try {
            this.channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
        try {
            write(ByteBuffer.wrap(header));
            skipEmpty();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Creates a file and writes its header.
     *
     * @param metadata in the order of the file; {@code general.alignment}, a power of two, is 32 if it is absent
     * @throws StorageException if the file exists or cannot be written
     */
    public static GgufWriter create(Path file, Map<String, GgufValue> metadata, List<Tensor> tensors) {
        List<Tensor> all = List.copyOf(tensors);
        int alignment = alignment(metadata);
        return new GgufWriter(file, all, alignment, header(metadata, all, alignment));
    }

    /** The size in bytes of the file with this content. */
    public static long size(Map<String, GgufValue> metadata, List<Tensor> tensors) {
        int alignment = alignment(metadata);
        long size = header(metadata, tensors, alignment).length;
        for (Tensor tensor : tensors) {
            size += padded(tensor.bytes(), alignment);
        }
        return size;
    }

    private static int alignment(Map<String, GgufValue> metadata) {
        GgufValue stated = metadata.get(ALIGNMENT);
        if (stated == null) {
            return DEFAULT_ALIGNMENT;
        }
        long value = stated.asU32().orElse(0);
        if (Long.bitCount(value) != 1 || value > 1 << 30) {
            throw new IllegalArgumentException(ALIGNMENT + " must be a power of two of type u32 but was " + stated);
        }
        return (int) value;
    }

    private static byte[] header(Map<String, GgufValue> metadata, List<Tensor> tensors, int alignment) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(utf8("GGUF"));
        out.writeBytes(buffer(20)
                .putInt(3)
                .putLong(tensors.size())
                .putLong(metadata.size())
                .array());
        metadata.forEach((key, value) -> {
            string(out, key);
            out.writeBytes(buffer(4).putInt(value.type()).array());
            byte[] payload = new byte[value.payload().remaining()];
            value.payload().get(payload);
            out.writeBytes(payload);
        });
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (Tensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("tensor " + tensor.name() + " occurs twice; write it once");
            }
            int rank = tensor.shape().size();
            string(out, tensor.name());
            ByteBuffer info = buffer(16 + 8 * rank).putInt(rank);
            for (int axis = rank - 1; axis >= 0; axis--) {
                info.putLong(tensor.shape().get(axis));
            }
            info.putInt(tensor.type().ggufId()).putLong(offset).flip();
            byte[] described = new byte[info.remaining()];
            info.get(described);
            out.writeBytes(described);
            offset += padded(tensor.bytes(), alignment);
        }
        out.writeBytes(new byte[(int) (padded(out.size(), alignment) - out.size())]);
        return out.toByteArray();
    }

    private static void string(ByteArrayOutputStream out, String text) {
        byte[] bytes = utf8(text);
        out.writeBytes(buffer(8).putLong(bytes.length).array());
        out.writeBytes(bytes);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static long padded(long bytes, int alignment) {
        return (bytes + alignment - 1) / alignment * alignment;
    }

    /**
     * Writes the next bytes of the tensors.
     *
     * @param bytes of one tensor; all are consumed
     * @throws IllegalStateException if they are more than the current tensor still needs
     */
    public void append(ByteBuffer bytes) {
        if (bytes.remaining() > left) {
            throw new IllegalStateException(
                    bytes.remaining() + " bytes are more than the " + left + " that " + name() + " still needs");
        }
        left -= bytes.remaining();
        write(bytes);
        if (left == 0 && current < tensors.size()) {
            long size = tensors.get(current).bytes();
            write(ByteBuffer.allocate((int) (padded(size, alignment) - size)));
            next();
            skipEmpty();
        }
    }

    private void skipEmpty() {
        while (left == 0 && current < tensors.size()) {
            next();
        }
    }

    private void next() {
        current++;
        left = current < tensors.size() ? tensors.get(current).bytes() : 0;
    }

    private String name() {
        return current < tensors.size() ? tensors.get(current).name() : "no tensor";
    }

    private void write(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e + "; is the disk full?", e);
        }
    }

    /**
     * Forces the complete file to disk.
     *
     * @throws IllegalStateException if bytes of a tensor are missing
     */
    public void finish() {
        if (current < tensors.size()) {
            throw new IllegalStateException(name() + " lacks " + left + " bytes");
        }
        try {
            channel.force(true);
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e + "; is the disk full?", e);
        }
    }

    /** Closes the file; without {@link #finish} it is incomplete. Idempotent. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new StorageException("Cannot close " + file + ": " + e, e);
        }
    }
}
