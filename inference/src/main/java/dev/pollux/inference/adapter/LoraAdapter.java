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
 * A LoRA adapter (arXiv 2106.09685) as it is published: a folder in PEFT's form, {@code adapter_config.json} with
 * {@code adapter_model.safetensors}, or a GGUF file as llama.cpp's converter writes it.
 *
 * <p>It holds changes by the Hugging Face name of the tensor, such as {@code model.layers.0.self_attn.q_proj.weight}. A tensor θ
 * of the model becomes
 *
 * <ol>
 *   <li>θ′ = {@link #whole}, or {@link #base}, or θ;
 *   <li>V = θ′ + scale·B·A, by {@link #factors}; a bias: θ′ + scale·{@link #addedBias};
 *   <li>m·V/‖V‖ by row, by {@link #magnitude} (DoRA, arXiv 2402.09353);
 *   <li>with the rows of {@link #tokens} in place of its own.
 * </ol>
 *
 * <p>Tensors are read from the open file when they are asked for. <em>Thread-safe.</em>
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
     * Opens an adapter in PEFT's form.
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
     * Opens an adapter in PEFT's form or in a GGUF file.
     *
     * @param headWidth the width of an attention head of the model that it is for, from 2: a GGUF file has the rows of q and k in
     *     an order that depends on it, and does not hold it
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

    /** Its {@code adapter_config.json}; that of a GGUF file has PEFT's defaults alone. */
    public PeftConfig settings() {
        return settings;
    }

    /** The tensors of the model that it changes or holds, sorted. */
    public Set<String> targets() {
        return parts.keySet();
    }

    /** The product that is added to a matrix. */
    public Optional<LowRankChange> factors(String target) {
        return part(target, Part.A)
                .flatMap(a -> part(target, Part.B)
                        .map(b -> new LowRankChange(a, b, scales.getOrDefault(target, 1.0), isEmbedding(target))));
    }

    /** Whether the factors of a target are those of the transpose of an embedding. */
    public boolean isEmbedding(String target) {
        return embeddings.contains(target);
    }

    /** The lengths that the rows of a matrix have with its product, (rows); of an embedding, the columns. */
    public Optional<TensorSource> magnitude(String target) {
        return part(target, Part.MAGNITUDE);
    }

    /** What is added to a bias, without the scale that {@link #biasScale} gives. */
    public Optional<TensorSource> addedBias(String target) {
        return part(target, Part.BIAS);
    }

    /** What {@link #addedBias} is multiplied by: the scale of the factors of its module. */
    public double biasScale(String target) {
        return scales.getOrDefault(PeftTensor.module(target) + ".weight", 1.0);
    }

    /** The tensor that takes the place of the model's: of a module in {@code modules_to_save}. */
    public Optional<TensorSource> whole(String target) {
        return part(target, Part.WHOLE);
    }

    /** The tensor that the adapter was trained over, where it is stored with its change. */
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
     * What it holds besides products of factors, in words that follow "has"; empty if there is nothing of the kind. A matrix that
     * is stored with its factors and has their shape is passed over: PEFT stores those of embeddings and heads, which are the
     * model's own.
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
     * Its matrices under the names that they have among {@code tensors}: another class of the same model has others
     * ({@link AdapterNames}). A matrix that is not among them keeps its name.
     *
     * @return products by the name of the matrix, sorted
     * @throws MalformedFileException if two of its names are of one matrix
     */
    public Map<String, LowRankChange> factorsNamed(Set<String> tensors) {
        AdapterNames names = AdapterNames.of(tensors);
        Map<String, LowRankChange> renamed = new TreeMap<>();
        for (String target : parts.keySet()) {
            String found = names.find(target).orElse(target);
            factors(target).ifPresent(change -> {
                if (renamed.put(found, change) != null) {
                    throw new MalformedFileException("The adapter " + name + " has two pairs of factors for " + found
                            + "; get the adapter again");
                }
            });
        }
        return renamed;
    }

    /**
     * Saves it in PEFT's form. Tensors keep their types and settings stay as they are, but of an adapter from a GGUF file, or of
     * another scale than its settings give, the settings are made to fit.
     *
     * @param folder which must not exist; it appears when it is complete
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

    /** Closes its file; what was read of it stays. Idempotent. */
    @Override
    public void close() {
        close.run();
    }
}
