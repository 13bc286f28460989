package dev.pollux.inference.internal.session;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.internal.NativeRuntime;
import java.nio.file.Path;

/** Opens sessions of in-memory graphs with external weights. */
public final class GraphSession {

    private GraphSession() {}

    /**
     * Opens a session of a graph that was read from {@code model} and edited; the caller closes it. External data is read
     * from the files of {@code model}.
     */
    public static OrtSession of(Graph graph, Path model, OrtSession.SessionOptions settings) throws OrtException {
        settings.addConfigEntry(
                "session.model_external_initializers_file_folder_path",
                model.toAbsolutePath().resolveSibling("").toString());
        return NativeRuntime.environment().createSession(GraphWriter.bytes(graph), settings);
    }
}
