package dev.pollux.inference.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.NativeRuntime;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** A graph changed in memory; its weights stay in the file beside it. */
public final class GraphEdit {

    private GraphEdit() {}

    /** A session of the graph in {@code model} after {@code edit}; the caller closes it. */
    public static OrtSession session(Path model, OrtSession.SessionOptions settings, Consumer<GraphProto.Builder> edit)
            throws OrtException {
        settings.addConfigEntry(
                "session.model_external_initializers_file_folder_path",
                model.toAbsolutePath().resolveSibling("").toString());
        return NativeRuntime.environment().createSession(edited(model, edit), settings);
    }

    private static byte[] edited(Path model, Consumer<GraphProto.Builder> edit) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(model))) {
            ModelProto.Builder proto = ModelProto.parseFrom(in).toBuilder();
            edit.accept(proto.getGraphBuilder());
            return proto.build().toByteArray();
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new MalformedFileException(model + " is no ONNX model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + model + ": " + e, e);
        }
    }

    /** An operator without attributes. */
    public static NodeProto op(String operator, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(operator)
                .setName(output + "/" + operator)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }
}
