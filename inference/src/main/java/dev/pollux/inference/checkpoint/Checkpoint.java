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
 * A published model: a GGUF file or a Hugging Face folder, with one set of names for both.
 *
 * <p>Opening reads only headers; tensors are mapped on access. <em>Thread-safe.</em>
 */
public abstract sealed class Checkpoint implements AutoCloseable permits GgufCheckpoint, FolderCheckpoint {

    private final Path path;

    Checkpoint(Path path) {
        this.path = path;
    }

    /**
     * Opens a GGUF file, a Hugging Face folder, or a folder that contains one GGUF file or the parts of one. Files that
     * accompany a model, such as draft heads and projectors, are ignored. For a GGUF file in parts, the path may be that of any
     * part. A folder with safetensors is opened as a Hugging Face folder, whatever else it contains.
     *
     * @throws MalformedFileException if a file is damaged, or a tensor is missing or its shape differs from the
     *     configuration
     * @throws StorageException if a file cannot be read or a part of a GGUF file is missing
     * @throws IllegalArgumentException if a folder contains several GGUF files
     * @throws dev.pollux.UnsupportedModelException if the kind of a file is not supported
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

    /** The supported architectures of GGUF files, with the corresponding Hugging Face classes. */
    public static SortedMap<String, List<String>> ggufArchitectures() {
        return GgufFamilies.architectures();
    }

    /** The path from which it was opened: the GGUF file, or the folder. */
    public final Path path() {
        return path;
    }

    /** The model's shape. */
    public abstract ModelConfig config();

    /**
     * The number of parameters of the model: the number of elements of its tensors. Packed weights hold several parameters per
     * element; for these the result is at least the number of parameters of a dense model of the same shape.
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

    /** The configuration with the names of Hugging Face; empty for a GGUF file, for which {@link #config()} is complete. */
    public abstract Settings settings();

    /** The tensors under their Hugging Face names and in their row order. */
    public abstract TensorFile tensors();

    /** Creates a tokenizer, if the checkpoint has one. The caller closes it. */
    public abstract Optional<Tokenizer> tokenizer();

    /** The source of the chat template, if there is one. */
    public abstract Optional<String> chatTemplate();

    /** The tokens before and after a text, as the chat template writes them. */
    public abstract SpecialTokens specialTokens();

    /**
     * The token ids that end a turn, sorted; see {@link dev.pollux.inference.tokenizer.TurnEnds}. For a folder this opens the
     * tokenizer.
     */
    public abstract List<Integer> endTokens();

    /**
     * The publisher's recommended sampling, from {@code generation_config.json} or the keys {@code general.sampling} of a GGUF
     * file; empty if neither specifies it.
     */
    public abstract Optional<GenerationOptions> sampling();

    /** The files of the checkpoint, for hashing and for reports. */
    public abstract List<Path> files();

    /** Releases the files. Idempotent. */
    @Override
    public abstract void close();
}
