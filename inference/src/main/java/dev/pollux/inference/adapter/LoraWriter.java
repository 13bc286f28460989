package dev.pollux.inference.adapter;

import dev.pollux.StorageException;
import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsWriter;
import dev.pollux.tensor.TensorSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Streams a new adapter to disk in PEFT's format, change by change: {@code adapter_model.safetensors} first, {@code
 * adapter_config.json} last. Use {@link LoraAdapter#save} for an adapter that is already loaded. <em>Not thread-safe: one
 * thread at a time.</em>
 */
public final class LoraWriter implements AutoCloseable {

    private final Path folder;
    private final SafetensorsWriter file;
    private final SavedSettings settings = new SavedSettings();

    private LoraWriter(Path folder, SafetensorsWriter file) {
        this.folder = folder;
        this.file = file;
    }

    /**
     * Starts an adapter.
     *
     * @param folder an existing folder; files of the same names are replaced
     * @param matrices the names of those that may get factors, such as {@code model.layers.0.mlp.up_proj.weight}
     * @param others the names of tensors that may be stored whole
     * @throws StorageException if the folder cannot be written to
     */
    public static LoraWriter create(Path folder, Collection<String> matrices, Collection<String> others) {
        List<String> names = new ArrayList<>();
        for (String matrix : matrices) {
            for (Part part : Part.values()) {
                names.add(PeftTensor.key(part == Part.BIAS ? bias(matrix) : matrix, part, true));
            }
        }
        for (String tensor : others) {
            for (Part part : Part.values()) {
                names.add(PeftTensor.key(tensor, part, false));
            }
        }
        return new LoraWriter(folder, SafetensorsWriter.create(folder.resolve(PeftConfig.WEIGHTS), names));
    }

    private static String bias(String matrix) {
        return PeftTensor.module(matrix) + ".bias";
    }

    /** Writes the factors of a matrix as 32-bit floats. */
    public void factors(String matrix, LowRankChange change) {
        put(matrix, Part.A, change.embedding(), DType.F32, change.a());
        put(matrix, Part.B, change.embedding(), DType.F32, change.b());
        settings.factors(matrix, change.rank(), change.scale());
    }

    /** Writes the addend to the bias of a module with factors, whose scale multiplies it. */
    public void addedBias(String bias, TensorSource values) {
        put(bias, Part.BIAS, false, DType.F32, values);
    }

    /**
     * Writes a bias of the model that was trained.
     *
     * @param ofFactors whether its module has factors, which PEFT's name of the tensor says
     */
    public void trainedBias(String bias, boolean ofFactors, TensorSource values) {
        put(bias, ofFactors ? Part.BASE : Part.WHOLE, false, DType.F32, values);
    }

    /** Writes the lengths of a matrix's rows after its change (DoRA). */
    public void magnitude(String matrix, TensorSource values) {
        put(matrix, Part.MAGNITUDE, false, DType.F32, values);
    }

    /**
     * Writes a replacement for a tensor of the model.
     *
     * @param type F32, F16 or BF16
     */
    public void whole(String tensor, DType type, TensorSource values) {
        put(tensor, Part.WHOLE, false, type, values);
    }

    void put(String target, Part part, boolean embedding, DType type, TensorSource values) {
        file.put(PeftTensor.key(target, part, embedding), AdapterParts.saved(type), values);
        settings.holds(target, part);
    }

    void describe(String matrix, int rank, double scale) {
        settings.factors(matrix, rank, scale);
    }

    /** The number of tensor bytes written so far. */
    public long bytes() {
        return file.bytes();
    }

    /**
     * Completes the files.
     *
     * @param config the settings; ranks, scales and module lists are corrected to match the tensors
     * @return notices about non-finite values
     */
    public List<String> finish(PeftConfig config) {
        file.finish();
        Path path = folder.resolve(PeftConfig.CONFIG);
        try {
            Files.write(path, settings.complete(config).toPrettyString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new StorageException("Cannot write " + path + ": " + e + "; is the disk full?", e);
        }
        return file.notices("adapter");
    }

    @Override
    public void close() {
        file.close();
    }
}
