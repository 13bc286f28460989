package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.job.Job;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A stored LoRA adapter (arXiv 2106.09685). It is a folder in PEFT's format ({@code adapter_config.json} and {@code
 * adapter_model.safetensors}) or a GGUF file written by llama.cpp's converter.
 *
 * <p>Changes are keyed by the tensor's Hugging Face name, such as {@code model.layers.0.self_attn.q_proj.weight}. A tensor
 * θ of the model is changed in this order:
 *
 * <ol> <li>θ′ = {@link #whole}, else {@link #base}, else θ;
 *   <li>V = θ′ + scale·B·A, with {@link #factors}; for a bias θ′ + scale·{@link #addedBias};
 *   <li>m·V/‖V‖ for each row, with m = {@link #magnitude} (DoRA, arXiv 2402.09353);
 *   <li>rows in {@link #tokens} replace the tensor's rows.
 * </ol>
 *
 * <p>Tensors of a folder are read lazily from the open file, those of a GGUF file when it is opened. <em>Thread-safe.</em>
 */
public final class LoraAdapter implements AutoCloseable {

    private final String name;
    private final PeftConfig settings;
    private final Map<String, Map<Part, AdapterTensor>> parts;
    private final Set<String> embeddings;
    private final Map<String, Double> scales;
    private final Runnable close;

    private LoraAdapter(
            Path path, PeftConfig settings, AdapterParts parts, Map<String, Double> scales, Runnable close) {
        this.name = path.toAbsolutePath().normalize().getFileName().toString();
        this.settings = settings;
        this.parts = Collections.unmodifiableMap(parts.byTarget());
        this.embeddings = Set.copyOf(parts.embeddings());
        this.scales = Map.copyOf(scales);
        this.close = close;
    }

    /**
     * Opens an adapter in PEFT's format.
     *
     * @throws StorageException if there is none at {@code path}
     * @throws MalformedFileException if a file is damaged, a tensor is missing or surplus, or shapes do not fit together
     * @throws UnsupportedModelException if it is no LoRA adapter, or a GGUF file
     */
    public static LoraAdapter load(Path path) {
        if (Files.isRegularFile(path)) {
            throw new UnsupportedModelException(
                    path + " is a file, and an adapter in a GGUF file can be read only for a"
                            + " model with a known width of a head; use its PEFT folder");
        }
        return folder(path);
    }

    /**
     * Opens an adapter in PEFT's format or in a GGUF file.
     *
     * @param headWidth the width of an attention head of the base model, at least 2. The order of the rows of q and k in a
     *     GGUF file depends on it, and the file does not contain it
     * @throws StorageException if there is none at {@code path}
     * @throws MalformedFileException if a file is damaged, a tensor is missing or surplus, or shapes do not fit together
     * @throws UnsupportedModelException if it is no LoRA adapter
     */
    public static LoraAdapter load(Path path, int headWidth) {
        if (!Files.isRegularFile(path)) {
            return folder(path);
        }
        GgufAdapter read = GgufAdapter.read(path, headWidth);
        return new LoraAdapter(path, PeftConfig.DEFAULTS, read.parts(), read.scales(), () -> {});
    }

    private static LoraAdapter folder(Path path) {
        AdapterFolder folder = new AdapterFolder(path);
        PeftConfig config = folder.settings();
        SafetensorsFile tensors = SafetensorsFile.open(folder.weights());
        try {
            AdapterParts parts = new AdapterParts(path, config);
            for (TensorInfo info : tensors.tensors().values()) {
                String label = path.getFileName() + ":" + info.name();
                parts.add(new AdapterTensor(info.name(), info.type(), new StoredTensor(tensors, info, label)));
            }
            parts.check();
            return new LoraAdapter(path, config, parts, parts.scales(), tensors::close);
        } catch (RuntimeException | Error e) {
            tensors.close();
            throw e;
        }
    }

    /** The name of its folder or file. */
    public String name() {
        return name;
    }

    /** Its {@code adapter_config.json}; for a GGUF file, PEFT's defaults. */
    public PeftConfig settings() {
        return settings;
    }

    /** The sorted names of the model's tensors that it changes or replaces. */
    public Set<String> targets() {
        return parts.keySet();
    }

    /** The low-rank product that is added to a matrix. */
    public Optional<LowRankChange> factors(String target) {
        return part(target, Part.A)
                .flatMap(a -> part(target, Part.B)
                        .map(b -> new LowRankChange(a, b, scales.getOrDefault(target, 1.0), isEmbedding(target))));
    }

    /** Whether the factors of a target are for the transpose of an embedding. */
    public boolean isEmbedding(String target) {
        return embeddings.contains(target);
    }

    /** The lengths of a matrix's rows after its product is added, (rows); for an embedding, of its columns. */
    public Optional<TensorSource> magnitude(String target) {
        return part(target, Part.MAGNITUDE);
    }

    /** The addend to a bias, before {@link #biasScale} is applied. */
    public Optional<TensorSource> addedBias(String target) {
        return part(target, Part.BIAS);
    }

    /** The factor of {@link #addedBias}: the scale of its module's factors. */
    public double biasScale(String target) {
        return scales.getOrDefault(PeftTensor.module(target) + ".weight", 1.0);
    }

    /** The replacement for a tensor of a module in {@code modules_to_save}. */
    public Optional<TensorSource> whole(String target) {
        return part(target, Part.WHOLE);
    }

    /** The base tensor of training, if it is stored in the adapter. */
    public Optional<TensorSource> base(String target) {
        return part(target, Part.BASE);
    }

    /** New rows of an embedding. */
    public Optional<TokenRows> tokens(String target) {
        return part(target, Part.TOKENS)
                .map(values -> new TokenRows(settings.tokens(PeftTensor.module(target)), values));
    }

    private Optional<TensorSource> part(String target, Part part) {
        return Optional.ofNullable(parts.getOrDefault(target, Map.of()).get(part))
                .map(AdapterTensor::values);
    }

    /**
     * A phrase to follow "has" that describes content other than low-rank factors; empty if there is none. A matrix stored
     * with its factors in their shape is ignored: PEFT stores the model's unchanged embedding and head this way.
     */
    public Optional<String> otherThanFactors() {
        return parts.keySet().stream()
                .flatMap(target -> otherThanFactors(target).stream())
                .findFirst();
    }

    private Optional<String> otherThanFactors(String target) {
        Set<Part> held = parts.getOrDefault(target, Map.of()).keySet();
        if (held.contains(Part.MAGNITUDE)) {
            return Optional.of("DoRA magnitudes of " + target);
        } else if (held.contains(Part.BIAS)) {
            return Optional.of("a change of " + target);
        } else if (held.contains(Part.TOKENS)) {
            return Optional.of("rows of tokens of " + target);
        }
        Optional<TensorSource> whole = whole(target).or(() -> base(target).filter(base -> !isOfFactors(target, base)));
        return whole.map(values -> target + " of shape " + values.shape() + " as a whole");
    }

    private boolean isOfFactors(String target, TensorSource base) {
        return factors(target)
                .filter(change -> {
                    long rows = change.rows();
                    long columns = change.columns();
                    return base.shape().equals(List.of(rows, columns))
                            || base.shape().equals(List.of(columns, rows));
                })
                .isPresent();
    }

    /**
     * Its factors by the matrix names in {@code tensors}, which may differ between classes of one model ({@link
     * AdapterNames}). A matrix that is not found keeps its name.
     *
     * @return the products by matrix name, sorted
     * @throws MalformedFileException if two of its names match one matrix
     */
    public Map<String, LowRankChange> factorsNamed(Set<String> tensors) {
        AdapterNames names = AdapterNames.of(tensors);
        Map<String, LowRankChange> renamed = new TreeMap<>();
        for (String target : parts.keySet()) {
            String found = names.find(target).orElse(target);
            factors(target).ifPresent(change -> {
                if (renamed.put(found, change) != null) {
                    throw new MalformedFileException("The adapter " + name + " has two pairs of factors for " + found
                            + "; download the adapter again");
                }
            });
        }
        return renamed;
    }

    /**
     * Saves it in PEFT's format. Tensors keep their types. Settings are unchanged unless they do not match the scales or
     * the adapter comes from a GGUF file; then they are completed.
     *
     * @param folder a folder that must not exist; it appears only when complete
     * @throws IllegalArgumentException if {@code folder} exists
     * @throws StorageException if it cannot be written
     */
    public void save(Path folder) {
        if (Files.exists(folder)) {
            throw new IllegalArgumentException(folder + " must not exist; choose another folder or delete it");
        }
        Job.of(
                        "save adapter",
                        context -> WorkFolder.publish(folder, "adapter", context, work -> {
                            write(work.path());
                            return folder;
                        }))
                .run();
    }

    private void write(Path folder) {
        try (LoraWriter out = LoraWriter.create(folder, scales.keySet(), parts.keySet())) {
            parts.forEach((target, of) -> {
                of.forEach(
                        (part, tensor) -> out.put(target, part, isEmbedding(target), tensor.type(), tensor.values()));
                factors(target).ifPresent(change -> out.describe(target, change.rank(), change.scale()));
            });
            out.finish(settings);
        }
    }

    /** Closes its file; tensors already read stay valid. Idempotent. */
    @Override
    public void close() {
        close.run();
    }
}
