package dev.pollux.finetune.internal.model;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.internal.OnnxFile;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An ONNX model: its graph in memory, its initializers in the file or in external data. <em>Thread-safe; who opens it closes
 * it.</em>
 */
public final class OnnxModel implements AutoCloseable {

    private static final String FILE = "model.onnx";

    /** The types that can be averaged. */
    private static final Map<ElementType, DType> TYPES =
            Map.of(ElementType.FLOAT, DType.F32, ElementType.FLOAT16, DType.F16, ElementType.BFLOAT16, DType.BF16);

    private final Path file;
    private final ModelProto proto;
    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final Map<String, FileChannel> channels = new HashMap<>();

    private OnnxModel(Path file, ModelProto proto) {
        this.file = file;
        this.proto = proto;
    }

    /** Whether {@code path} is an ONNX model, or a folder with {@code model.onnx} and without safetensors. */
    static boolean isAt(Path path) {
        return Files.isRegularFile(path)
                ? path.toString().endsWith(".onnx")
                : Files.isRegularFile(path.resolve(FILE)) && !SafetensorsFolder.isIn(path);
    }

    static OnnxModel open(Path path) {
        Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
        OnnxModel model = new OnnxModel(file, OnnxFile.of(file).model());
        try {
            if (model.proto.getGraph().getSparseInitializerCount() > 0) {
                throw new UnsupportedModelException(file + " has sparse initializers, which cannot be merged");
            }
            for (TensorProto tensor : model.proto.getGraph().getInitializerList()) {
                if (model.initializers.put(tensor.getName(), model.initializer(tensor)) != null) {
                    throw new MalformedFileException(file + " has two initializers " + tensor.getName());
                }
            }
            return model;
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    private static ElementType type(TensorProto tensor) {
        return ElementType.of(tensor.getDataType()).orElse(ElementType.OTHER);
    }

    private Initializer initializer(TensorProto tensor) {
        long elements = OnnxFile.of(file).elements(tensor);
        ElementType type = type(tensor);
        int size = type.bytes();
        if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
            return external(tensor, elements, elements * size);
        }
        boolean raw = tensor.hasRawData() && size > 0;
        int listed = type == ElementType.FLOAT ? tensor.getFloatDataCount() : tensor.getInt32DataCount();
        long stored = raw ? tensor.getRawData().size() : listed * (long) size;
        if ((raw || TYPES.containsKey(type)) && stored != elements * size) {
            throw new MalformedFileException(
                    file + ": " + tensor.getName() + " must have " + elements * size + " bytes but has " + stored);
        }
        return new Initializer(tensor, elements, Optional.empty(), 0, 0);
    }

    private Initializer external(TensorProto tensor, long elements, long due) {
        OnnxFile.Place place = OnnxFile.of(file).place(tensor, due);
        String location = place.location();
        long offset = place.offset();
        long length = place.length();
        FileChannel channel = channels.computeIfAbsent(location, this::channel);
        try {
            if (due > 0 && length != due || offset > channel.size() - length) {
                throw new MalformedFileException(file + ": " + tensor.getName() + " of " + tensor.getDimsList()
                        + " does not fit the " + length + " bytes from " + offset + " on of " + location);
            }
            return new Initializer(tensor, elements, Optional.of(channel), offset, length);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    private FileChannel channel(String location) {
        try {
            return FileChannel.open(file.resolveSibling(location), StandardOpenOption.READ);
        } catch (IOException e) {
            throw new StorageException("Cannot read the external data " + location + " of " + file + ": " + e, e);
        }
    }

    /**
     * An initializer.
     *
     * @param channel the channel of the external data; empty if the data is in the graph
     */
    public record Initializer(
            TensorProto proto, long elements, Optional<FileChannel> channel, long offset, long externalLength) {

        public List<Long> shape() {
            return proto.getDimsList();
        }

        /** Whether it has elements that can be averaged. */
        public boolean isWeight() {
            return TYPES.containsKey(OnnxModel.type(proto)) && proto.getDimsCount() > 0 && elements > 0;
        }

        public DType type() {
            return TYPES.getOrDefault(OnnxModel.type(proto), DType.U8);
        }

        public boolean isExternal() {
            return channel.isPresent();
        }

        public TensorSource as(String label) {
            return new OnnxTensor(this, label);
        }

        /** The number of bytes that {@link #bytes} can return. */
        public long length() {
            return isExternal() ? externalLength : proto.getRawData().size();
        }

        /** The stored bytes, little-endian. There are none if the message stores the values in typed fields. */
        public ByteBuffer bytes(long from, int count) {
            if (channel.isEmpty()) {
                return proto.getRawData()
                        .asReadOnlyByteBuffer()
                        .slice(Math.toIntExact(from), count)
                        .order(ByteOrder.LITTLE_ENDIAN);
            }
            ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
            try {
                while (bytes.hasRemaining()) {
                    if (channel.get().read(bytes, offset + from + bytes.position()) < 0) {
                        throw new MalformedFileException("The external data of " + proto.getName() + " is cut off");
                    }
                }
            } catch (IOException e) {
                throw new StorageException("Cannot read " + proto.getName() + ": " + e, e);
            }
            return bytes.flip();
        }
    }

    public ModelProto proto() {
        return proto;
    }

    public Path file() {
        return file;
    }

    public Map<String, Initializer> initializers() {
        return initializers;
    }

    /** Floating-point initializers by name. */
    public Map<String, Initializer> weights() {
        Map<String, Initializer> weights = new LinkedHashMap<>(initializers);
        weights.values().removeIf(initializer -> !initializer.isWeight());
        return weights;
    }

    /** The configuration in the same folder, if there is one. */
    ObjectNode config() {
        return JsonFile.object(file.resolveSibling("config.json")).orElseGet(ObjectNode::new);
    }

    @Override
    public void close() {
        for (FileChannel channel : channels.values()) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new StorageException("Cannot close the data of " + file + ": " + e, e);
            }
        }
    }
}
