package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.pollux.StorageException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Writes a {@link Graph} as an ONNX model with external data.
 *
 * <p>Weights are streamed to {@code <model>.data} in order. They are aligned so that the runtime can map them: to 4096
 * bytes if a weight has at least 4096 bytes, else to 64. Small constants stay in the model file.
 */
public final class GraphWriter {

    private static final int PAGE = 4096;
    private static final int LINE = 64;
    private static final int PIECE = 1 << 20;

    private GraphWriter() {}

    /** Bytes of external data that {@link #write} writes, alignment included. */
    public static long dataBytes(Graph graph) {
        long end = 0;
        for (Weight weight : graph.weights()) {
            if (isExternal(weight)) {
                end = aligned(end, weight.bytes()) + weight.bytes();
            }
        }
        return end;
    }

    /** The offsets in the file of external data at which {@link #write} writes weights, by name. */
    public static Map<String, Long> offsets(Graph graph) {
        Map<String, Long> offsets = new HashMap<>();
        long end = 0;
        for (Weight weight : graph.weights()) {
            if (isExternal(weight)) {
                long at = aligned(end, weight.bytes());
                offsets.put(weight.name(), at);
                end = at + weight.bytes();
            }
        }
        return offsets;
    }

    /** The file of external data of {@code model}. */
    public static Path dataFile(Path model) {
        return model.resolveSibling(model.getFileName() + ".data");
    }

    /** Calls {@link #write(Graph, Path, IntConsumer)} without a listener. */
    public static void write(Graph graph, Path model) {
        write(graph, model, written -> {});
    }

    /**
     * Writes {@code model} and its data file, neither of which may exist, and forces both to the disk.
     *
     * @param listener receives the number of weights written, after each; an exception it throws ends the writing
     * @throws StorageException if a file cannot be written
     */
    public static void write(Graph graph, Path model, IntConsumer listener) {
        Path file = dataFile(model);
        try (FileChannel data = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            GraphProto.Builder proto = begin(graph);
            long end = 0;
            int written = 0;
            for (Weight weight : graph.weights()) {
                if (isExternal(weight)) {
                    long at = aligned(end, weight.bytes());
                    end = write(weight, data, at);
                    proto.addInitializer(external(weight, file, at));
                } else {
                    proto.addInitializer(((StoredTensor) weight.source()).proto());
                }
                listener.accept(++written);
            }
            data.force(true);
            try (FileChannel channel =
                            FileChannel.open(model, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel))) {
                model(graph, proto).writeTo(out);
                out.flush();
                channel.force(true);
            }
        } catch (IOException | UncheckedIOException e) {
            throw new StorageException("Cannot write " + model + ": " + e, e);
        }
    }

    /** The model in memory. Weights in files of external data stay there; all others are embedded. */
    public static byte[] bytes(Graph graph) {
        GraphProto.Builder proto = begin(graph);
        for (Weight weight : graph.weights()) {
            proto.addInitializer(weight.source() instanceof StoredTensor stored ? stored.proto() : inline(weight));
        }
        return model(graph, proto).toByteArray();
    }

    private static boolean isExternal(Weight weight) {
        return !(weight.source() instanceof StoredTensor stored)
                || stored.place().isPresent();
    }

    private static long aligned(long end, long length) {
        int align = align(length);
        return (end + align - 1) / align * align;
    }

    private static int align(long length) {
        return length < PAGE ? LINE : PAGE;
    }

    /** The most bytes that are left free before a weight of {@code length} bytes, so that it is aligned. */
    public static long mostGap(long length) {
        return align(length) - 1L;
    }

    private static long write(Weight weight, FileChannel data, long at) {
        long[] end = {at};
        weight.source().writeTo(bytes -> {
            ByteBuffer rest = bytes.duplicate();
            int limit = rest.limit();
            try {
                while (rest.position() < limit) {
                    rest.limit(
                            Math.min(limit, rest.position() + PIECE)); // a channel copies what it writes from the heap
                    end[0] += data.write(rest, end[0]);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        if (end[0] - at != weight.bytes()) {
            throw new IllegalStateException(weight.name() + " of the shape " + weight.shape() + " must have "
                    + weight.bytes() + " bytes but its source gave " + (end[0] - at));
        }
        return end[0];
    }

    private static TensorProto external(Weight weight, Path file, long offset) {
        return described(weight)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", String.valueOf(file.getFileName())))
                .addExternalData(entry("offset", Long.toString(offset)))
                .addExternalData(entry("length", Long.toString(weight.bytes())))
                .build();
    }

    private static TensorProto inline(Weight weight) {
        ByteString.Output bytes = ByteString.newOutput();
        weight.source().writeTo(piece -> {
            byte[] copy = new byte[piece.remaining()];
            piece.duplicate().get(copy);
            bytes.write(copy, 0, copy.length);
        });
        return described(weight).setRawData(bytes.toByteString()).build();
    }

    private static TensorProto.Builder described(Weight weight) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(weight.name())
                .setDataType(weight.type().code());
        weight.shape().dims().forEach(dim -> tensor.addDims(dim.factor()));
        return tensor;
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static GraphProto.Builder begin(Graph graph) {
        GraphProto declared = graph.header().getGraph();
        GraphProto.Builder proto = declared.toBuilder().clearInput().clearOutput();
        graph.inputs().forEach(value -> proto.addInput(info(value, declared.getInputList())));
        graph.outputs().forEach(value -> proto.addOutput(info(value, declared.getOutputList())));
        graph.nodes().forEach(node -> proto.addNode(node.proto()));
        return proto;
    }

    private static ModelProto model(Graph graph, GraphProto.Builder proto) {
        return graph.header().toBuilder().setGraph(proto).build();
    }

    /** The original entry of the file, if it is still accurate. */
    private static ValueInfoProto info(Value value, List<ValueInfoProto> declared) {
        return declared.stream()
                .filter(info -> info.getName().equals(value.name())
                        && GraphReader.value(info).equals(value))
                .findFirst()
                .orElseGet(() -> info(value));
    }

    private static ValueInfoProto info(Value value) {
        TypeProto.Tensor.Builder tensor =
                TypeProto.Tensor.newBuilder().setElemType(value.type().code());
        if (value.shape().isRanked()) {
            TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
            for (Shape.Dim dim : value.shape().dims()) {
                TensorShapeProto.Dimension.Builder entry = shape.addDimBuilder();
                if (dim.isFixed()) {
                    entry.setDimValue(dim.factor());
                } else if (!dim.isUnknown()) {
                    entry.setDimParam(dim.toString());
                }
            }
            tensor.setShape(shape);
        }
        return ValueInfoProto.newBuilder()
                .setName(value.name())
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }
}
