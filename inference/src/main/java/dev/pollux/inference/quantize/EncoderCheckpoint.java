package dev.pollux.inference.quantize;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.tensor.SafetensorsFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A checkpoint of an embedder or reranker; the result is a folder with {@code model.onnx} and the checkpoint's other files. */
final class EncoderCheckpoint implements SourceModel {

    private final Path folder;
    private final SafetensorsFolder tensors;

    EncoderCheckpoint(Path folder) {
        this.folder = folder;
        this.tensors = SafetensorsFolder.open(folder);
    }

    @Override
    public Graph graph() {
        return EncoderExport.graph(folder, tensors, EncoderWeights.FLOAT);
    }

    @Override
    public List<Path> files() {
        return Stream.concat(Stream.of(folder.resolve("config.json")), tensors.files().stream())
                .toList();
    }

    @Override
    public ArtifactManifest.Kind kind() {
        return ArtifactManifest.Kind.ENCODER;
    }

    @Override
    public Path folder() {
        return folder;
    }

    @Override
    public Path graphFile(Path target) {
        return target.resolve(EncoderExport.MODEL_FILE);
    }

    @Override
    public void write(Path target, UnaryOperator<Graph> rewrite, Map<String, Object> provenance) {
        GraphWriter.write(rewrite.apply(graph()), target.resolve(EncoderExport.MODEL_FILE));
        CompanionFiles.copy(folder, target);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
