package dev.pollux.inference.onnx;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.GraphFiles;
import dev.pollux.inference.graph.GraphOutline;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A folder with a published ONNX decoder.
 *
 * <p>Two formats are supported. Facts that the configuration lacks are read from the graph.
 *
 * <ul>
 *   <li>onnxruntime-genai: {@code genai_config.json} names the graph, its inputs and its outputs.
 *   <li>Optimum or transformers.js: {@code config.json}, with graphs in the same folder or in {@code onnx/}. The graph is
 *       {@code model.onnx} or a variant such as {@code model_fp16.onnx} or {@code model_q4.onnx}; or
 *       {@code decoder_model_merged.onnx}; or the pair {@code decoder_model.onnx} and {@code decoder_with_past_model.onnx}.
 * </ul>
 *
 * <p>The path of an ONNX file selects a variant. The path of a folder selects its first variant in {@link
 * GraphFiles#ORDER}. <em>Immutable.</em>
 */
public final class OnnxFolder {

    static final String GENAI = "genai_config.json";
    static final String CONFIG = "config.json";

    private static final String ONNX = GraphFiles.ONNX;
    private static final String FOLDER = "onnx";

    /** The format of a folder. */
    public enum Kind {
        /** onnxruntime-genai. */
        GENAI,
        /** Optimum or transformers.js. */
        OPTIMUM
    }

    private final Path root;
    private final Kind kind;
    private final Path file;
    private final List<Path> variants;
    private final DecoderGraph graph;

    private OnnxFolder(Path root, Kind kind, Path file, List<Path> variants) {
        this.root = root;
        this.kind = kind;
        this.file = file;
        this.variants = List.copyOf(variants);
        this.graph = describe();
    }

    /**
     * Finds the published decoder at {@code path}; empty if there is none, such as for an exported folder or a checkpoint.
     *
     * @param path a folder, or one of its ONNX files
     * @throws StorageException if {@code path} names an ONNX file that does not exist, or a part of the graph is missing
     * @throws MalformedFileException if a file is damaged, or names files outside its folder
     * @throws UnsupportedModelException if the graph is not a decoder, or of an unsupported kind
     */
    public static Optional<OnnxFolder> find(Path path) {
        if (path.toString().endsWith(ONNX) && !Files.isDirectory(path)) {
            return exportOf(path) ? Optional.empty() : Optional.of(ofFile(path));
        }
        if (!isReadyMade(path)) {
            return Optional.empty();
        }
        if (Files.isRegularFile(path.resolve(GENAI))) {
            return Optional.of(new OnnxFolder(path, Kind.GENAI, genaiFile(path), list(path)));
        }
        List<Path> variants = variants(path);
        return Optional.of(new OnnxFolder(rootOf(path), Kind.OPTIMUM, preferred(path, variants), variants));
    }

    private static boolean isReadyMade(Path path) {
        return Files.isDirectory(path)
                && !Files.isRegularFile(path.resolve(DecoderManifest.FILE))
                && !SafetensorsFolder.isIn(path)
                && list(path, GgufFile::isModelName).isEmpty()
                && (Files.isRegularFile(path.resolve(GENAI)) || !variants(path).isEmpty());
    }

    private static Path parent(Path file) {
        Path whole = file.toAbsolutePath().normalize();
        Path parent = whole.getParent();
        return parent == null ? whole : parent;
    }

    private static boolean exportOf(Path file) {
        return Files.isRegularFile(parent(file).resolve(DecoderManifest.FILE));
    }

    private static OnnxFolder ofFile(Path file) {
        Path parent = parent(file);
        List<Path> variants = list(parent);
        if (!Files.isRegularFile(file)) {
            throw new StorageException(file + " does not exist; " + parent + " holds "
                    + (variants.isEmpty() ? "no ONNX file" : names(variants) + "; give the path of one"));
        }
        boolean genai = Files.isRegularFile(parent.resolve(GENAI));
        return new OnnxFolder(rootOf(parent), genai ? Kind.GENAI : Kind.OPTIMUM, file, variants);
    }

    /** The folder of the configuration; graphs may be in a subfolder of it. */
    private static Path rootOf(Path folder) {
        boolean own = Files.isRegularFile(folder.resolve(GENAI)) || Files.isRegularFile(folder.resolve(CONFIG));
        Path above = parent(folder);
        return !own && Files.isRegularFile(above.resolve(CONFIG)) ? above : folder;
    }

    private static Path genaiFile(Path folder) {
        String name = GenaiConfig.read(ModelTexts.in(folder)).file();
        Path file = inside(folder, name, folder.resolve(GENAI));
        if (!Files.isRegularFile(file)) {
            throw new StorageException(folder.resolve(GENAI) + " names " + name
                    + ", which does not exist; the folder holds " + names(list(folder)));
        }
        return file;
    }

    private static List<Path> variants(Path folder) {
        List<Path> all = new ArrayList<>(list(folder));
        all.addAll(list(folder.resolve(FOLDER)));
        return all;
    }

    private static List<Path> list(Path folder) {
        return list(folder, name -> name.endsWith(ONNX));
    }

    private static List<Path> list(Path folder, Predicate<String> wanted) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> wanted.test(file.toString()) && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
    }

    private static Path preferred(Path folder, List<Path> variants) {
        Optional<String> known = GraphFiles.preferred(names(variants));
        if (known.isEmpty() && variants.size() > 1) {
            throw new UnsupportedModelException(
                    folder + " holds several ONNX files, " + names(variants) + "; give the path of one");
        }
        return variants.stream()
                .filter(file -> known.isEmpty() || name(file).equals(known.get()))
                .findFirst()
                .orElseThrow();
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private static List<String> names(List<Path> files) {
        return files.stream().map(OnnxFolder::name).toList();
    }

    private DecoderGraph describe() {
        ModelTexts texts = ModelTexts.in(root);
        GraphSignature facts = kind == Kind.GENAI ? GenaiConfig.read(texts).facts() : TransformersConfig.read(texts);
        DecoderGraphReader own = new DecoderGraphReader(file, outline(file), facts);
        Optional<Path> half = GraphFiles.otherHalf(name(file)).map(file::resolveSibling);
        boolean whole = kind == Kind.GENAI || half.isEmpty();
        if (whole || own.hasPast() && !Files.exists(half.get()) && !GraphFiles.goesOn(name(file))) {
            return own.read(root, Optional.empty());
        }
        if (!Files.isRegularFile(half.get())) {
            throw new StorageException(file + " is one of two graphs that take turns, but " + name(half.get())
                    + " is not in its folder; fetch that file too");
        }
        DecoderGraphReader other = new DecoderGraphReader(half.get(), outline(half.get()), facts);
        if (own.hasPast() == other.hasPast()) {
            throw new UnsupportedModelException(
                    file + " and " + name(half.get()) + " must be a graph without a past and one with it");
        }
        return own.hasPast() ? own.read(root, Optional.of(other)) : other.read(root, Optional.of(own));
    }

    /** The outline of a graph with external data in the same folder. */
    private static GraphOutline outline(Path file) {
        GraphOutline outline = GraphOutline.read(file);
        for (String location : outline.dataFiles()) {
            if (!Files.isRegularFile(inside(parent(file), location, file))) {
                throw new StorageException(
                        file + " needs " + location + " in its folder, which does not exist; fetch that file too");
            }
        }
        return outline;
    }

    /** A file named by {@code source}; it must be inside {@code folder}. */
    private static Path inside(Path folder, String name, Path source) {
        try {
            Path relative = Path.of(name);
            Path base = folder.toAbsolutePath().normalize();
            Path file = base.resolve(relative).normalize();
            if (!name.isEmpty() && !relative.isAbsolute() && !file.equals(base) && file.startsWith(base)) {
                return file;
            }
        } catch (InvalidPathException e) {
            throw new MalformedFileException(source + " names a file with an invalid path: " + e.getReason(), e);
        }
        throw new MalformedFileException(source + " must name files in its own folder but names '" + name + "'");
    }

    /** The format. */
    public Kind kind() {
        return kind;
    }

    /** The graph; of a pair, the one with a past. */
    public Path file() {
        return graph.file();
    }

    /** All ONNX files of the folder, sorted; {@link #find} accepts each as a variant. */
    public List<Path> variants() {
        return variants;
    }

    /** The folder of the configuration, the tokenizer and the chat template. */
    public Path folder() {
        return root;
    }

    /**
     * The manifest derived from the files in the folder; {@code provenance} describes how the graph is run. It contains
     * only the end tokens that are listed by id; {@link ModelTexts#endTokens} returns all.
     */
    public DecoderManifest manifest() {
        return graph.manifest();
    }

    DecoderGraph graph() {
        return graph;
    }
}
