package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A LoRA adapter as it is published (arXiv:2106.09685): for each matrix that it changes, W + scale·B·A. It is a folder in PEFT's
 * form, {@code adapter_config.json} with {@code adapter_model.safetensors}, or a GGUF file. <em>Immutable.</em>
 *
 * @param name a name to show
 * @param factors sorted, by the Hugging Face name of the matrix, such as {@code model.layers.0.self_attn.q_proj.weight}
 */
public record Adapter(String name, Map<String, Factors> factors) {

    /** The largest rank that is read. */
    static final int MAX_RANK = 1 << 14;

    public Adapter {
        factors = Collections.unmodifiableMap(new TreeMap<>(factors));
    }

    /**
     * What is added to a matrix of (rows, columns), or for an embedding to its transpose, as PEFT has it.
     *
     * @param rank in [1, 16384]
     * @param rows outputs of the matrix; for an embedding the hidden size
     * @param columns its inputs; for an embedding its tokens
     * @param a (rank, columns)
     * @param b (rows, rank)
     * @param scale α/rank, or α/√rank for rsLoRA (arXiv:2312.03732)
     */
    public record Factors(int rank, int rows, int columns, float[] a, float[] b, double scale) {}

    /**
     * Reads an adapter.
     *
     * @param headWidth the width of a head of the model it is for: a GGUF file holds rows of q and k in an order that depends on
     *     it, and does not say it
     * @throws StorageException if there is none at {@code path}
     * @throws MalformedFileException if a file is damaged, or factors do not fit together
     * @throws dev.pollux.UnsupportedModelException if it is no LoRA, or changes what cannot be added to a running model
     */
    public static Adapter read(Path path, int headWidth) {
        if (Files.isRegularFile(path)) {
            return new GgufAdapter(path, headWidth).read();
        }
        if (!Files.isDirectory(path)) {
            throw new StorageException("There is no adapter at " + path
                    + "; give a folder with adapter_config.json, or a GGUF file of an adapter");
        }
        return new PeftAdapter(path).read();
    }

    /**
     * The same adapter with the names that its matrices have among {@code tensors}: another class of the same model has others
     * ({@link AdapterNames}). A matrix that is not among them keeps its name.
     *
     * @throws MalformedFileException if two of its names are of one matrix
     */
    public Adapter named(Set<String> tensors) {
        AdapterNames names = AdapterNames.of(tensors);
        Map<String, Factors> renamed = new HashMap<>();
        factors.forEach((matrix, change) -> {
            String found = names.find(matrix).orElse(matrix);
            if (renamed.put(found, change) != null) {
                throw new MalformedFileException(
                        "The adapter " + name + " has two pairs of factors for " + found + "; get the adapter again");
            }
        });
        return new Adapter(name, renamed);
    }

    /** Checks the shapes of two factors, each of two axes. */
    static Factors factors(String of, int[] a, int[] b, float[][] values, double scale) {
        int rank = a[0];
        if (rank < 1 || rank > MAX_RANK || b[1] != rank) {
            throw new MalformedFileException("The factors of " + of + " must share a rank in [1, " + MAX_RANK
                    + "] but are (" + a[0] + ", " + a[1] + ") and (" + b[0] + ", " + b[1] + "); get the adapter again");
        }
        return new Factors(rank, b[0], a[1], values[0], values[1], scale);
    }

    /** Collects the factors of an adapter that must have some. */
    static Adapter of(Path path, TreeMap<String, Factors> factors) {
        if (factors.isEmpty()) {
            throw new MalformedFileException(path + " holds no LoRA factors; get the adapter again");
        }
        return new Adapter(path.toAbsolutePath().getFileName().toString(), factors);
    }
}
