package dev.pollux.inference.quantize;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** An opened model that can be quantized. Who opens it closes it. <em>Confined to one thread.</em> */
interface SourceModel extends AutoCloseable {

    /** The graph with float weights, which are read from the model's files while it is open. */
    Graph graph();

    /** This model if it is a checkpoint of a decoder. */
    default Optional<DecoderCheckpoint> decoder() {
        return Optional.empty();
    }

    /** The files whose content decides the result. */
    List<Path> files();

    /** The kind of the result. */
    ArtifactManifest.Kind kind();

    /** The folder with the tokenizer and the configuration. */
    Path folder();

    /** The ONNX file that {@link #write} writes into {@code target}. */
    Path graphFile(Path target);

    /**
     * Writes the result.
     *
     * @param rewrite rewrites {@link #graph}
     * @param provenance facts for the manifest of a decoder
     */
    void write(Path folder, UnaryOperator<Graph> rewrite, Map<String, Object> provenance);

    @Override
    void close();

    /**
     * Opens a model.
     *
     * @param path an ONNX file, a folder with one, an exported folder, a folder with safetensors, or a GGUF file or a folder with
     *     one
     * @throws MalformedFileException if it is none of these
     */
    static SourceModel open(Path path) {
        if (!Files.exists(path)) {
            throw new StorageException(path + " does not exist; name a model's file or folder");
        }
        if (OnnxModelFiles.isAt(path)) {
            return new OnnxModelFiles(path);
        }
        if (isEncoder(path)) {
            return new EncoderCheckpoint(path);
        }
        if (SafetensorsFolder.isIn(path) || GgufFile.isModelName(path.toString()) || hasGguf(path)) {
            return new DecoderCheckpoint(Checkpoint.open(path));
        }
        throw new MalformedFileException(
                path + " must be a model: an ONNX file, or a folder with ONNX, safetensors or GGUF"
                        + " files; convert other weights to safetensors first");
    }

    private static boolean hasGguf(Path path) {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.anyMatch(file -> GgufFile.isModelName(file.toString()));
        } catch (IOException e) {
            throw new StorageException("Cannot list " + path + ": " + e, e);
        }
    }

    /** Decoders that embed texts have the files of sentence-transformers. */
    static boolean isEncoder(Path folder) {
        if (!EncoderExport.isKnown(folder)) {
            return false;
        }
        if (Files.isRegularFile(folder.resolve("modules.json"))) {
            return true;
        }
        List<String> decoders = DecoderExport.architectures();
        return JsonFile.read(folder.resolve("config.json")).map(json -> json.path("architectures")).stream()
                .flatMap(JsonNode::valueStream)
                .noneMatch(name -> decoders.contains(name.asString()));
    }
}
