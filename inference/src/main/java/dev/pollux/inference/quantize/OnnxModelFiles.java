package dev.pollux.inference.quantize;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphFiles;
import dev.pollux.inference.graph.GraphOutline;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.tensor.SafetensorsFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** An ONNX model: one file, or a folder. The result has the same names and copies of the other files. */
final class OnnxModelFiles implements SourceModel {

    private static final String ONNX = GraphFiles.ONNX;

    private final Path root;
    private final Path file;
    private final boolean isFolder;
    private final Graph graph;

    OnnxModelFiles(Path path) {
        this.isFolder = Files.isDirectory(path);
        this.root = isFolder ? path : parent(path);
        this.file = isFolder ? file(path) : path;
        checkAlone();
        this.graph = GraphReader.read(file);
    }

    /** Whether {@code path} is an ONNX file, or a folder with one and without a checkpoint. */
    static boolean isAt(Path path) {
        if (!Files.isDirectory(path)) {
            return path.toString().endsWith(ONNX);
        }
        return Files.isRegularFile(path.resolve(DecoderManifest.FILE))
                || !SafetensorsFolder.isIn(path) && !list(path).isEmpty();
    }

    private static Path parent(Path file) {
        Path whole = file.toAbsolutePath().normalize();
        Path parent = whole.getParent();
        return parent == null ? whole : parent;
    }

    private static List<Path> list(Path folder) {
        List<Path> files = new ArrayList<>();
        for (Path place : List.of(folder, folder.resolve("onnx"))) {
            if (Files.isDirectory(place)) {
                try (Stream<Path> entries = Files.list(place)) {
                    entries.filter(entry -> entry.toString().endsWith(ONNX) && Files.isRegularFile(entry))
                            .sorted()
                            .forEach(files::add);
                } catch (IOException e) {
                    throw new StorageException("Cannot list " + place + ": " + e, e);
                }
            }
        }
        return files;
    }

    private static Path file(Path folder) {
        List<Path> files = list(folder);
        List<String> names =
                files.stream().map(found -> folder.relativize(found).toString()).toList();
        if (files.size() == 1) {
            return files.get(0);
        }
        Optional<String> preferred = GraphFiles.preferred(
                names.stream().map(name -> name.replace('\\', '/')).toList());
        return preferred
                .map(folder::resolve)
                .orElseThrow(() -> new UnsupportedModelException(
                        folder + " holds several ONNX files, " + names + "; give the path of one"));
    }

    /** Two graphs that take turns hold the same weights; one without the other does not run. */
    private void checkAlone() {
        Optional<Path> half =
                GraphFiles.otherHalf(String.valueOf(file.getFileName())).map(file::resolveSibling);
        if (half.isPresent() && Files.isRegularFile(half.get())) {
            throw new UnsupportedModelException(file + " is one of two graphs that take turns, with "
                    + half.get().getFileName() + "; quantize the merged graph or the checkpoint");
        }
        for (String location : GraphOutline.read(file).dataFiles()) {
            if (!Files.isRegularFile(file.resolveSibling(location))) {
                throw new StorageException(
                        file + " needs " + location + " beside it, which does not exist; fetch it too");
            }
        }
    }

    @Override
    public Graph graph() {
        return graph;
    }

    @Override
    public List<Path> files() {
        List<Path> files = new ArrayList<>(List.of(file));
        GraphOutline.read(file).dataFiles().forEach(location -> files.add(file.resolveSibling(location)));
        return files;
    }

    @Override
    public ArtifactManifest.Kind kind() {
        return isFolder
                ? ArtifactManifest.read(root).map(ArtifactManifest::kind).orElse(ArtifactManifest.Kind.CHECKPOINT)
                : ArtifactManifest.Kind.CHECKPOINT;
    }

    @Override
    public Path folder() {
        return root;
    }

    @Override
    public Path graphFile(Path target) {
        return target.resolve(isFolder ? root.relativize(file).toString() : String.valueOf(file.getFileName()));
    }

    @Override
    public void write(Path folder, UnaryOperator<Graph> rewrite, Map<String, Object> provenance) {
        Path target = graphFile(folder);
        try {
            Files.createDirectories(parent(target));
        } catch (IOException e) {
            throw new StorageException("Cannot write " + target + ": " + e, e);
        }
        GraphWriter.write(rewrite.apply(graph), target);
        if (!isFolder) {
            return;
        }
        if (Files.isRegularFile(root.resolve(DecoderManifest.FILE))) {
            DecoderManifest.read(root).withProvenance(provenance).write(folder);
        }
        CompanionFiles.copy(root, folder);
    }

    @Override
    public void close() {}
}
