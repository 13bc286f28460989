package dev.pollux.inference.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes one ONNX model with external data.
 *
 * <p>Weights go to {@code <model>.data} as they come, aligned so that the runtime maps them; only names, shapes and nodes are
 * held in memory. Opset 21 and {@code com.microsoft} 1, IR version 10. <em>Not thread-safe: one thread at a time.</em>
 */
public final class GraphWriter implements AutoCloseable {

    /** The domain of ONNX Runtime's contrib operators. */
    public static final String MICROSOFT = "com.microsoft";

    private static final int PAGE = 4096;
    private static final int LINE = 64;
    private static final int PIECE = 1 << 20;

    /** Element types of graph values and initializers. */
    public enum Type {
        FLOAT(1),
        UINT8(2),
        INT8(3),
        INT32(6),
        INT64(7);

        private final int code;

        Type(int code) {
            this.code = code;
        }

        /** The type's number in ONNX, as {@code Cast} wants it. */
        public int code() {
            return code;
        }
    }

    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("decoder");
    /** Where nodes go: the graph, or the branch that is being written. */
    private GraphProto.Builder nodes = graph;

    private final Path model;
    private final @Nullable FileChannel data;
    private long offset;

    private GraphWriter(Path model, @Nullable FileChannel data) {
        this.model = model;
        this.data = data;
    }

    /** Begins {@code model} and its data file beside it; both must not exist. */
    public static GraphWriter create(Path model) {
        ProtobufClasses.check();
        Path file = dataFile(model);
        try {
            return new GraphWriter(
                    model, FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw new StorageException("Cannot create " + file + ": " + e, e);
        }
    }

    /** A writer that writes nothing and counts what would be written. */
    public static GraphWriter measuring() {
        ProtobufClasses.check();
        return new GraphWriter(Path.of("model.onnx"), null);
    }

    /** Whether nothing is written: {@link #reserve} serves in place of the bytes then. */
    public boolean isMeasuring() {
        return data == null;
    }

    /** Counts an initializer of {@code length} bytes in the external data, as {@link #bytes} would write it. */
    public void reserve(long length) {
        offset = start(length) + length;
    }

    private static Path dataFile(Path model) {
        return model.resolveSibling(model.getFileName() + ".data");
    }

    /** Bytes of weights written so far. */
    public long bytesWritten() {
        return offset;
    }

    /** Declares an input; a dimension is an {@code Integer} or, where it varies, a {@code String}. */
    public void input(String name, Type type, Object... dims) {
        graph.addInput(valueInfo(name, type, dims));
    }

    /** Declares an output. */
    public void output(String name, Type type, Object... dims) {
        graph.addOutput(valueInfo(name, type, dims));
    }

    private static ValueInfoProto valueInfo(String name, Type type, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            TensorShapeProto.Dimension.Builder entry = shape.addDimBuilder();
            if (dim instanceof Integer size) {
                entry.setDimValue(size);
            } else {
                entry.setDimParam((String) dim);
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.code)
                                .setShape(shape)))
                .build();
    }

    /** Adds a node; an empty input or output name leaves an optional one out. Attributes are written in order of their names. */
    public void node(
            String operator, String domain, List<String> inputs, List<String> outputs, Map<String, ?> attributes) {
        NodeProto.Builder node = nodes.addNodeBuilder()
                .setOpType(operator)
                .setDomain(domain)
                .setName(outputs.get(0) + "/" + operator)
                .addAllInput(inputs)
                .addAllOutput(outputs);
        // sorted, since callers give them in maps whose order differs from one JVM to the next
        new TreeMap<String, Object>(attributes).forEach((name, value) -> node.addAttribute(attribute(name, value)));
    }

    /** Adds a standard operator with one output, named {@code output}, and returns that name. */
    public String op(String operator, String output, List<String> inputs, Map<String, ?> attributes) {
        node(operator, "", inputs, List.of(output), attributes);
        return output;
    }

    /** Part of a graph that is run or not; see {@link #choice}. <em>Immutable.</em> */
    public static final class Branch {

        private final GraphProto proto;

        private Branch(GraphProto proto) {
            this.proto = proto;
        }
    }

    /** Writes what one value of a condition leads to. */
    @FunctionalInterface
    public interface BranchWriter {

        /** Adds nodes, which may read any value there is so far, and gives the name of the result. */
        String write();
    }

    /**
     * The result of one of two branches, under the name {@code output}. Initializers of branches belong to the whole graph.
     *
     * @param condition a value of one boolean
     */
    public String choice(String output, String condition, BranchWriter yes, BranchWriter no) {
        node(
                "If",
                "",
                List.of(condition),
                List.of(output),
                Map.of("then_branch", branch(output + ".then", yes), "else_branch", branch(output + ".else", no)));
        return output;
    }

    /** Whether nodes go into a branch now, whose values the graph around it does not see. */
    public boolean inBranch() {
        return nodes != graph;
    }

    private Branch branch(String name, BranchWriter writer) {
        GraphProto.Builder before = nodes;
        nodes = GraphProto.newBuilder().setName(name);
        try {
            String result = writer.write();
            nodes.addOutput(ValueInfoProto.newBuilder()
                    .setName(result)
                    .setType(TypeProto.newBuilder()
                            .setTensorType(TypeProto.Tensor.newBuilder().setElemType(Type.FLOAT.code))));
            return new Branch(nodes.build());
        } finally {
            nodes = before;
        }
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        if (value instanceof Integer number) {
            return attribute
                    .setType(AttributeProto.AttributeType.INT)
                    .setI(number)
                    .build();
        }
        if (value instanceof Float number) {
            return attribute
                    .setType(AttributeProto.AttributeType.FLOAT)
                    .setF(number)
                    .build();
        }
        if (value instanceof Branch branch) {
            return attribute
                    .setType(AttributeProto.AttributeType.GRAPH)
                    .setG(branch.proto)
                    .build();
        }
        if (value instanceof List<?> numbers) {
            numbers.forEach(number -> attribute.addInts((Integer) number));
            return attribute.setType(AttributeProto.AttributeType.INTS).build();
        }
        return attribute
                .setType(AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFromUtf8((String) value))
                .build();
    }

    /** A small int64 constant, kept in the graph; no dimensions when {@code scalar}. */
    public String integers(String name, long... values) {
        TensorProto.Builder tensor = graph.addInitializerBuilder()
                .setName(name)
                .setDataType(Type.INT64.code)
                .addDims(values.length);
        for (long value : values) {
            tensor.addInt64Data(value);
        }
        return name;
    }

    /** A float initializer in the external data. */
    public String floats(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes(name, Type.FLOAT, bytes, shape);
    }

    /** An initializer in the external data, from its little-endian bytes. */
    public String bytes(String name, Type type, ByteBuffer bytes, long... shape) {
        FileChannel to = data;
        if (to == null) {
            reserve(bytes.remaining());
            return name;
        }
        try {
            offset = start(bytes.remaining());
            int length = bytes.remaining();
            ByteBuffer rest = bytes.duplicate();
            long at = offset;
            int end = rest.limit();
            while (rest.position() < end) {
                rest.limit(Math.min(end, rest.position() + PIECE)); // a channel copies what it writes from the heap
                at += to.write(rest, at);
            }
            TensorProto.Builder tensor = graph.addInitializerBuilder()
                    .setName(name)
                    .setDataType(type.code)
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(
                            entry("location", dataFile(model).getFileName().toString()))
                    .addExternalData(entry("offset", Long.toString(offset)))
                    .addExternalData(entry("length", Integer.toString(length)));
            for (long size : shape) {
                tensor.addDims(size);
            }
            offset = at;
            return name;
        } catch (IOException e) {
            throw new StorageException("Cannot write " + dataFile(model) + ": " + e, e);
        }
    }

    /** Where an initializer of {@code length} bytes begins. */
    private long start(long length) {
        int align = length < PAGE ? LINE : PAGE;
        return (offset + align - 1) / align * align;
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /** Writes the model file and forces both files to the disk. */
    public void finish() {
        FileChannel written = data;
        if (written == null) {
            return;
        }
        ModelProto proto = ModelProto.newBuilder()
                .setIrVersion(10)
                .setProducerName("pollux")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(21))
                .addOpsetImport(
                        OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1))
                .setGraph(graph)
                .build();
        try {
            written.force(true);
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(model))) {
                proto.writeTo(out);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write " + model + ": " + e, e);
        }
    }

    @Override
    public void close() {
        try {
            if (data != null) {
                data.close();
            }
        } catch (IOException e) {
            throw new StorageException("Cannot close " + dataFile(model) + ": " + e, e);
        }
    }
}
