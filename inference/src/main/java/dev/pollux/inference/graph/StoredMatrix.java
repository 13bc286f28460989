package dev.pollux.inference.graph;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.math.Float16;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** The values of a stored weight of two dimensions, of 16- or 32-bit floats. <em>Thread-safe.</em> */
final class StoredMatrix implements MatrixValues {

    private final StoredTensor tensor;
    private final int rows;
    private final int columns;
    private final int width; // bytes of a value

    private StoredMatrix(StoredTensor tensor, int rows, int columns) {
        this.tensor = tensor;
        this.rows = rows;
        this.columns = columns;
        this.width = type(tensor).bytes();
    }

    /**
     * The values of a tensor of two dimensions.
     *
     * @throws MalformedFileException if the stored bytes do not fit the shape
     */
    static StoredMatrix of(StoredTensor tensor) {
        long rows = tensor.proto().getDims(0);
        long columns = tensor.proto().getDims(1);
        long due = rows * columns * type(tensor).bytes();
        long stored = tensor.place()
                .map(StoredTensor.Place::length)
                .orElseGet(() -> tensor.proto().hasRawData()
                        ? tensor.proto().getRawData().size()
                        : (long) listed(tensor) * type(tensor).bytes());
        if (stored != due) {
            throw new MalformedFileException(tensor.proto().getName() + " of "
                    + tensor.proto().getDimsList() + " must have " + due + " bytes but has " + stored);
        }
        return new StoredMatrix(tensor, Math.toIntExact(rows), Math.toIntExact(columns));
    }

    private static int listed(StoredTensor tensor) {
        return type(tensor) == ElementType.FLOAT
                ? tensor.proto().getFloatDataCount()
                : tensor.proto().getInt32DataCount();
    }

    /** Whether a tensor has two dimensions and floats of a type that can be read. */
    static boolean fits(StoredTensor tensor) {
        ElementType type = type(tensor);
        return tensor.proto().getDimsCount() == 2 && (type == ElementType.FLOAT || type == ElementType.FLOAT16);
    }

    private static ElementType type(StoredTensor tensor) {
        return ElementType.of(tensor.proto().getDataType()).orElse(ElementType.OTHER);
    }

    @Override
    public void rows(int first, int count, float[] into) {
        read((source) -> source.read((long) first * columns, count * columns, into, 0, 1));
    }

    @Override
    public void columns(int first, int count, float[] into) {
        read(source -> {
            for (int row = 0; row < rows; row++) {
                source.read((long) row * columns + first, count, into, row, rows);
            }
        });
    }

    @Override
    public boolean band(int first, int count, float[] into) {
        read(source -> {
            for (int row = 0; row < rows; row++) {
                source.read((long) row * columns + first, count, into, row * count, 1);
            }
        });
        return true;
    }

    /** Reads values in order; they are put at {@code at}, {@code at + step}, … */
    @FunctionalInterface
    private interface Source {
        void read(long from, int count, float[] into, int at, int step) throws IOException;
    }

    @FunctionalInterface
    private interface Reading {
        void with(Source source) throws IOException;
    }

    private void read(Reading reading) {
        try {
            if (tensor.place().isEmpty()) {
                reading.with(this::message);
                return;
            }
            StoredTensor.Place place = tensor.place().get();
            try (FileChannel channel = FileChannel.open(place.file(), StandardOpenOption.READ)) {
                ByteBuffer[] buffer = {ByteBuffer.allocateDirect(1 << 16).order(ByteOrder.LITTLE_ENDIAN)};
                reading.with((from, count, into, at, step) ->
                        file(channel, place.offset() + from * width, buffer[0], count, into, at, step));
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + tensor.proto().getName() + ": " + e, e);
        }
    }

    private void message(long from, int count, float[] into, int at, int step) {
        int first = Math.toIntExact(from);
        if (tensor.proto().hasRawData()) {
            ByteBuffer raw = tensor.proto()
                    .getRawData()
                    .asReadOnlyByteBuffer()
                    .slice(first * width, count * width)
                    .order(ByteOrder.LITTLE_ENDIAN);
            put(raw, count, into, at, step);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i * step] = width == Float.BYTES
                    ? tensor.proto().getFloatData(first + i)
                    : Float16.toFloat((short) tensor.proto().getInt32Data(first + i));
        }
    }

    private void file(FileChannel channel, long from, ByteBuffer buffer, int count, float[] into, int at, int step)
            throws IOException {
        int done = 0;
        while (done < count) {
            int some = Math.min(count - done, buffer.capacity() / width);
            buffer.clear().limit(some * width);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, from + (long) done * width + buffer.position()) < 0) {
                    throw new MalformedFileException(
                            "The external data of " + tensor.proto().getName() + " is cut off");
                }
            }
            put(buffer.flip(), some, into, at + done * step, step);
            done += some;
        }
    }

    private void put(ByteBuffer bytes, int count, float[] into, int at, int step) {
        if (width == Float.BYTES && step == 1) {
            bytes.asFloatBuffer().get(into, at, count);
            return;
        }
        int start = bytes.position();
        for (int i = 0; i < count; i++) {
            into[at + i * step] = width == Float.BYTES
                    ? bytes.getFloat(start + i * Float.BYTES)
                    : Float16.toFloat(bytes.getShort(start + i * Short.BYTES));
        }
    }
}
