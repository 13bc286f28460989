package dev.pollux.inference.internal;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Reads what a file of an ONNX model says of its tensors, and checks it. <em>Immutable, thread-safe.</em> */
public final class OnnxFile {

    private final Path file;

    private OnnxFile(Path file) {
        this.file = file;
    }

    public static OnnxFile of(Path file) {
        return new OnnxFile(file);
    }

    /**
     * The place of external data.
     *
     * @param location the name of a file in the model's folder
     * @param offset of its first byte
     * @param length in bytes
     */
    public record Place(String location, long offset, long length) {}

    /**
     * The whole message.
     *
     * @throws MalformedFileException if it is not an ONNX model
     * @throws UnsupportedModelException if it is larger than 2 GiB
     * @throws StorageException if it cannot be read
     */
    public ModelProto model() {
        try (InputStream in = Files.newInputStream(file)) {
            if (Files.size(file) > Integer.MAX_VALUE - 1024) {
                throw new UnsupportedModelException(
                        file + " is larger than 2 GiB; save it with its weights as external data");
            }
            CodedInputStream coded = CodedInputStream.newInstance(in, 1 << 20);
            coded.setSizeLimit(Integer.MAX_VALUE);
            return ModelProto.parseFrom(coded);
        } catch (InvalidProtocolBufferException e) {
            throw new MalformedFileException(file + " is not an ONNX model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /**
     * The number of elements of a tensor; their bytes fit a long.
     *
     * @throws MalformedFileException if the shape is not valid
     */
    public long elements(TensorProto tensor) {
        long elements = 1;
        for (long size : tensor.getDimsList()) {
            if (size < 0 || size > 0 && elements > Long.MAX_VALUE / 16 / size) {
                throw new MalformedFileException(
                        file + ": the shape " + tensor.getDimsList() + " of " + tensor.getName() + " is not valid");
            }
            elements *= size;
        }
        return elements;
    }

    /**
     * The place of a tensor's external data, which may be beyond the end of its file.
     *
     * @param due the length where none is given, in bytes
     * @throws MalformedFileException if the location leads out of the folder, or offset or length are not numbers
     */
    public Place place(TensorProto tensor, long due) {
        Map<String, String> data = new HashMap<>();
        for (StringStringEntryProto entry : tensor.getExternalDataList()) {
            data.put(entry.getKey(), entry.getValue());
        }
        String location = data.getOrDefault("location", "");
        if (!location.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
            throw new MalformedFileException(file + ": the location '" + location + "' of " + tensor.getName()
                    + " must be a plain file name without folders");
        }
        long offset = number(tensor, data.getOrDefault("offset", "0"));
        long length = number(tensor, data.getOrDefault("length", Long.toString(due)));
        return new Place(location, offset, length);
    }

    private long number(TensorProto tensor, String text) {
        if (!text.matches("[0-9]{1,18}")) {
            throw new MalformedFileException(
                    file + ": the place of " + tensor.getName() + " must be numbers but has '" + text + "'");
        }
        return Long.parseLong(text);
    }
}
