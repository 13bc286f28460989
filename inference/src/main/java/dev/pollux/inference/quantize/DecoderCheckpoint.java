package dev.pollux.inference.quantize;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.graph.Graph;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** A checkpoint of a decoder; the result is an exported folder. */
record DecoderCheckpoint(Checkpoint checkpoint) implements SourceModel {

    private static final ExportOptions FLOAT =
            ExportOptions.builder().weights(WeightFormat.FLOAT).build();

    @Override
    public Graph graph() {
        return DecoderExport.graph(checkpoint, FLOAT);
    }

    @Override
    public Optional<DecoderCheckpoint> decoder() {
        return Optional.of(this);
    }

    /** The stored matrices of the weights of {@link #graph}; see {@link DecoderExport#matrices}. */
    Map<String, List<String>> matrices() {
        return DecoderExport.matrices(checkpoint, FLOAT);
    }

    @Override
    public List<Path> files() {
        return checkpoint.files();
    }

    @Override
    public ArtifactManifest.Kind kind() {
        return ArtifactManifest.Kind.DECODER;
    }

    @Override
    public Path folder() {
        return checkpoint.path();
    }

    @Override
    public Path graphFile(Path target) {
        return target.resolve(DecoderManifest.MODEL_FILE);
    }

    @Override
    public void write(Path folder, UnaryOperator<Graph> rewrite, Map<String, Object> provenance) {
        DecoderExport.write(checkpoint, FLOAT, folder, rewrite, provenance);
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
