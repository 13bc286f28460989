package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A weight as stored: in the model's message, or in a file of external data. <em>Immutable.</em>
 *
 * @param proto its message
 * @param place the location of its external data; empty if the message contains the data
 */
record StoredTensor(TensorProto proto, Optional<Place> place) implements WeightSource {

    private static final int PIECE = 1 << 20;

    /** A part of a file. */
    record Place(Path file, long offset, long length) {}

    /** Whole numbers that stay in the graph. */
    static StoredTensor integers(String name, long... values) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(ElementType.INT64.code())
                .addDims(values.length);
        for (long value : values) {
            tensor.addInt64Data(value);
        }
        return new StoredTensor(tensor.build(), Optional.empty());
    }

    /** The values of a short list of 64-bit integers in the message; empty for any other tensor. */
    Optional<long[]> integers() {
        if (place.isPresent() || proto.getDataType() != ElementType.INT64.code() || proto.getDimsCount() > 1) {
            return Optional.empty();
        }
        if (proto.hasRawData()) {
            ByteBuffer raw = proto.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            long[] values = new long[raw.remaining() / Long.BYTES];
            raw.asLongBuffer().get(values);
            return Optional.of(values);
        }
        return Optional.of(
                proto.getInt64DataList().stream().mapToLong(Long::longValue).toArray());
    }

    @Override
    public Optional<MatrixValues> values() {
        return StoredMatrix.fits(this) ? Optional.of(StoredMatrix.of(this)) : Optional.empty();
    }

    @Override
    public void writeTo(Consumer<ByteBuffer> sink) {
        if (place.isEmpty()) {
            sink.accept(ListedValues.bytes(proto));
            return;
        }
        Place at = place.get();
        try (FileChannel channel = FileChannel.open(at.file(), StandardOpenOption.READ)) {
            for (long from = 0; from < at.length(); from += PIECE) {
                ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE, at.length() - from))
                        .order(ByteOrder.LITTLE_ENDIAN);
                while (piece.hasRemaining()) {
                    if (channel.read(piece, at.offset() + from + piece.position()) < 0) {
                        throw new MalformedFileException("The external data of " + proto.getName() + " is cut off");
                    }
                }
                sink.accept(piece.flip());
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + at.file() + ": " + e, e);
        }
    }
}
