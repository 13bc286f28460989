package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * A model as it is published: a GGUF file or a Hugging Face folder, seen through one set of names.
 *
 * <p>Opening reads headers only; tensors are mapped when they are asked for. <em>Thread-safe.</em>
 */
public abstract sealed class Checkpoint implements AutoCloseable permits GgufCheckpoint, FolderCheckpoint {

    private final Path path;

    Checkpoint(Path path) {
        this.path = path;
    }

    /**
     * Opens a GGUF file, a Hugging Face folder, or a folder with one GGUF file or the
     * parts of one in it; files beside a model, such as draft heads and projectors, do not count. Of a GGUF file in parts any may be given. A folder with safetensors is opened as
     * such, whatever else it holds.
     *
     * @throws MalformedFileException if a file is damaged, or a tensor missing or of another shape than the configuration says
     * @throws StorageException if a file cannot be read or a part of a GGUF file is missing
     * @throws IllegalArgumentException if a folder holds several GGUF files
     * @throws dev.pollux.UnsupportedModelException if a file is of a kind that is not known
     */
    public static Checkpoint open(Path path) {
        if (Files.isDirectory(path)) {
            Optional<Path> gguf = SafetensorsFolder.isIn(path) ? Optional.empty() : onlyGguf(path);
            return gguf.isPresent() ? new GgufCheckpoint(gguf.get()) : new FolderCheckpoint(path);
        }
        if (!Files.isRegularFile(path)) {
            throw new StorageException(path + " does not exist; give a GGUF file or a Hugging Face folder");
        }
        return new GgufCheckpoint(path);
    }

    private static Optional<Path> onlyGguf(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.filter(file -> GgufFile.isModelName(file.toString()) && Files.isRegularFile(file))
                    .sorted()
                    .toList();
            if (found.size() > 1 && !partsOfOne(found)) {
                throw new IllegalArgumentException(folder + " holds several GGUF files, "
                        + found.stream().map(Path::getFileName).toList() + "; give the path of one");
            }
            return found.stream().findFirst();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
    }

    private static boolean partsOfOne(List<Path> found) {
        String ending = String.format("-of-%05d.gguf", found.size());
        return found.stream()
                        .map(file -> file.getFileName().toString().replaceFirst("(?i)-\\d{5}" + ending + "$", ""))
                        .distinct()
                        .count()
                == 1;
    }

    /** The architectures of GGUF files that can be read, with the classes of Hugging Face that they are. */
    public static SortedMap<String, List<String>> ggufArchitectures() {
        return GgufFamilies.architectures();
    }

    /** Where it was opened: the GGUF file, or the folder. */
    public final Path path() {
        return path;
    }

    /** The model's shape. */
    public abstract ModelConfig config();

    /**
     * How many parameters the model has: those of its tensors; of packed weights, which hold several in an element, at least
     * those of a dense model of its shape.
     */
    public final long parameters() {
        long stored = tensors().tensors().values().stream()
                .mapToLong(TensorInfo::elements)
                .sum();
        ModelConfig shape = config();
        long attention = 2L * shape.hiddenSize() * shape.headDim() * (shape.heads() + shape.keyValueHeads());
        long inner = 3L * shape.hiddenSize() * shape.intermediateSize();
        long dense = shape.layers() * (attention + inner) + (long) shape.vocabularySize() * shape.hiddenSize();
        boolean packed = tensors().tensors().values().stream()
                .anyMatch(info -> info.name().endsWith("qweight") || info.name().endsWith("weight_packed"));
        return packed ? Math.max(stored, dense) : stored;
    }

    /** The configuration in Hugging Face's names; empty for a GGUF file, whose {@link #config()} holds all there is. */
    public abstract Settings settings();

    /** The tensors under their Hugging Face names and in their row order. */
    public abstract TensorFile tensors();

    /** A new tokenizer, where the checkpoint has one; the caller closes it. */
    public abstract Optional<Tokenizer> tokenizer();

    /** The chat template's source, where there is one. */
    public abstract Optional<String> chatTemplate();

    /** The tokens before and after a text, as the chat template writes them. */
    public abstract SpecialTokens specialTokens();

    /**
     * Ids of the vocabulary that end a turn, sorted; see {@link dev.pollux.inference.tokenizer.TurnEnds}. Of a folder this opens
     * the tokenizer.
     */
    public abstract List<Integer> endTokens();

    /**
     * How its publisher would have tokens chosen, from {@code generation_config.json} or the keys {@code general.sampling} of
     * a GGUF file; empty where nothing is said.
     */
    public abstract Optional<GenerationOptions> sampling();

    /** The files that make up the checkpoint, for hashing and for reports. */
    public abstract List<Path> files();

    /** Lets go of the files. Idempotent. */
    @Override
    public abstract void close();
}
