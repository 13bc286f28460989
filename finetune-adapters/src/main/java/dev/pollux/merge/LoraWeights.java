package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.inference.adapter.PeftTensor;
import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.ShiftedTensor;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A LoRA adapter in PEFT's form, {@code adapter_config.json} and {@code adapter_model.safetensors}: W + (α/r)·B·A, or
 * (α/√r)·B·A for rsLoRA (arXiv 2312.03732); with DoRA (arXiv 2402.09353) each row of the sum at the length of a magnitude
 * vector.
 */
final class LoraWeights implements AdapterChanges, AutoCloseable {

    private static final String TOKENS_ONLY = "TRAINABLE_TOKENS";

    private final String label;
    private final PeftConfig config;
    private final SafetensorsFile file;

    /** Tensor of the model, as the adapter calls it → what the adapter holds for it. */
    private final Map<String, Map<Part, TensorInfo>> parts = new TreeMap<>();

    /** Targets whose factors are those of the transpose, as embeddings have them. */
    private final Set<String> embeddings = new HashSet<>();

    private LoraWeights(String label, PeftConfig config, SafetensorsFile file) {
        this.label = label;
        this.config = config;
        this.file = file;
        file.tensors().values().forEach(this::sort);
        parts.entrySet().removeIf(target -> isTiedCopy(target.getKey(), target.getValue()));
    }

    static LoraWeights open(String label, Path folder) {
        if (Files.isRegularFile(folder)) {
            throw new UnsupportedModelException("adapter " + label
                    + " is a file, which can be laid over a model but not merged with adapters; use its PEFT folder");
        }
        FolderContents.requireAdapter(label, folder);
        PeftConfig config = PeftConfig.read(folder)
                .orElseThrow(() -> new MalformedFileException("adapter " + label + " not found: " + folder + " has no "
                        + PeftConfig.CONFIG + "; download it first"));
        Optional<String> other = config.otherChange();
        if (other.isPresent() && !config.type().equals(TOKENS_ONLY)) {
            throw new UnsupportedModelException("adapter " + label + " has " + other.get()
                    + "; only LoRA and DoRA factors," + " modules held whole and trained tokens can be merged");
        }
        if (!Files.isRegularFile(folder.resolve(PeftConfig.WEIGHTS))) {
            throw new MalformedFileException(
                    "adapter " + label + " has no " + PeftConfig.WEIGHTS + "; download or convert it");
        }
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(PeftConfig.WEIGHTS));
        try {
            return new LoraWeights(label, config, file);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private void sort(TensorInfo info) {
        PeftTensor tensor = PeftTensor.parse(info.name())
                .orElseThrow(() -> new UnsupportedModelException("adapter " + label + " holds " + info.name()
                        + ", which is no plain LoRA factor; only those can be merged"));
        if (tensor.embedding()) {
            embeddings.add(tensor.target());
        }
        Map<Part, TensorInfo> of = parts.computeIfAbsent(tensor.target(), t -> new EnumMap<>(Part.class));
        TensorInfo first = of.put(tensor.part(), info);
        if (first != null && tensor.part() == Part.WHOLE && isSaved(first) != isSaved(info)) {
            of.put(Part.WHOLE, isSaved(first) ? first : info);
        } else if (first != null) {
            throw new MalformedFileException("adapter " + label + " holds " + first.name() + " and " + info.name()
                    + ", two tensors of one kind for " + tensor.target() + "; save one adapter alone");
        }
    }

    /** Where the vocabulary has grown, PEFT writes a trained module under two names. */
    private static boolean isSaved(TensorInfo info) {
        return info.name().contains(".modules_to_save.");
    }

    /** Beside trained tokens, PEFT saves the matrix of a tied head too where the vocabulary has grown: the embedding's. */
    private boolean isTiedCopy(String target, Map<Part, TensorInfo> of) {
        return LayerName.isHead(target) && of.keySet().equals(Set.of(Part.BASE)) && tiesHead();
    }

    /** Trained tokens of an embedding are those of a head tied to it, unless the head has some of its own. */
    @Override
    public boolean tiesHead() {
        return config.is("ensure_weight_tying")
                || parts.entrySet().stream()
                        .filter(target -> LayerName.isEmbedding(target.getKey()))
                        .anyMatch(target -> target.getValue().containsKey(Part.TOKENS));
    }

    @Override
    public String label() {
        return label;
    }

    @Override
    public Set<String> targets() {
        return parts.keySet();
    }

    @Override
    public Optional<TensorSource> base(String target) {
        return Optional.ofNullable(parts.getOrDefault(target, Map.of()).get(Part.BASE))
                .map(base -> stored(base, base.name()));
    }

    /** Refuses an adapter that changes other than by sums of products, which are all that adapters can be added up by. */
    void requireSummable() {
        if (config.is("use_dora") || parts.values().stream().anyMatch(of -> of.containsKey(Part.MAGNITUDE))) {
            throw new UnsupportedModelException(
                    "adapter " + label + " is a DoRA adapter, whose magnitudes scale the sum with the base, so it"
                            + " cannot be added to others; merge each with the base (base+adapter) and then"
                            + " the models");
        }
        parts.forEach((target, of) -> {
            if (!of.containsKey(Part.A) && !of.containsKey(Part.B) || of.containsKey(Part.WHOLE)) {
                String what = of.containsKey(Part.BIAS)
                        ? "by a change of a bias"
                        : of.containsKey(Part.TOKENS) ? "by new values of tokens" : "as a whole";
                throw new UnsupportedModelException("adapter " + label + " changes " + target + " " + what
                        + ", not by factors, so it cannot be added to others; merge each with the base (base+adapter)"
                        + " and then the models");
            }
        });
    }

    /** Whether the factors of a target are those of the transpose. */
    boolean isEmbedding(String target) {
        return embeddings.contains(target);
    }

    /** Whether PEFT finds its modules by the ends of their names alone, in all layers. */
    boolean targetsByName() {
        return config.isList("target_modules") && !config.has("layers_to_transform") && !config.has("exclude_modules");
    }

    boolean is(String setting) {
        return config.is(setting);
    }

    /** The change of one of its targets. */
    Factors factors(String target) {
        Map<Part, TensorInfo> factors = parts.getOrDefault(target, Map.of());
        double[][] a = rows(factor(target, factors, Part.A));
        double[][] b = rows(factor(target, factors, Part.B));
        if (a.length == 0 || b.length == 0 || a[0].length == 0 || b[0].length != a.length) {
            throw new MalformedFileException("adapter " + label + " has factors " + shape(factors, Part.B) + " and "
                    + shape(factors, Part.A) + " for " + target + "; get it again");
        }
        return new Factors(b, a, config.scale(PeftTensor.module(target), a.length));
    }

    private static List<Long> shape(Map<Part, TensorInfo> factors, Part part) {
        return Objects.requireNonNull(factors.get(part)).shape();
    }

    private static double[][] rows(TensorSource source) {
        int columns = source.shape().get(1).intValue();
        float[] row = new float[columns];
        double[][] rows = new double[source.shape().get(0).intValue()][columns];
        for (int i = 0; i < rows.length; i++) {
            source.read((long) i * columns, columns, row, 0);
            for (int j = 0; j < columns; j++) {
                rows[i][j] = row[j];
            }
        }
        return rows;
    }

    /** Of a module that the adapter holds whole and factors too, the factors lie over what it holds. */
    @Override
    public TensorSource adapted(String target, TensorSource of, boolean transposed, String name) {
        Map<Part, TensorInfo> held = parts.getOrDefault(target, Map.of());
        TensorInfo whole = held.getOrDefault(Part.WHOLE, held.get(Part.BASE));
        TensorSource matrix = whole == null ? of : stored(whole, name);
        TensorSource changed = held.containsKey(Part.BIAS)
                ? shifted(target, matrix, held, name)
                : held.containsKey(Part.A) || held.containsKey(Part.B)
                        ? multiplied(target, matrix, transposed, name)
                        : matrix;
        return held.containsKey(Part.TOKENS) ? replaced(target, changed, held, name) : changed;
    }

    private TensorSource multiplied(String target, TensorSource matrix, boolean inOut, String name) {
        Map<Part, TensorInfo> held = parts.getOrDefault(target, Map.of());
        TensorSource a = factor(target, held, Part.A);
        TensorSource b = factor(target, held, Part.B);
        // PEFT's setting is that of the module it came to last
        boolean transposed = isEmbedding(target) || inOut || config.is("fan_in_fan_out") && !LayerName.isHead(target);
        List<Long> made = transposed
                ? List.of(a.shape().get(1), b.shape().get(0))
                : List.of(b.shape().get(0), a.shape().get(1));
        if (!a.shape().get(0).equals(b.shape().get(1)) || !made.equals(matrix.shape())) {
            throw new MalformedFileException("adapter " + label + " has factors " + b.shape() + " and " + a.shape()
                    + " for " + target + ", which is " + matrix.shape() + "; use the model it was trained on");
        }
        double scale = config.scale(PeftTensor.module(target), a.shape().get(0).intValue());
        TensorSource plain = new LoraTensor(matrix, a, b, transposed, scale, name);
        return held.containsKey(Part.MAGNITUDE) || config.is("use_dora")
                ? dora(target, plain, held, transposed)
                : plain;
    }

    /** The directions of {@code plain} at the lengths that the adapter has learnt. */
    private TensorSource dora(String target, TensorSource plain, Map<Part, TensorInfo> held, boolean byColumn) {
        TensorInfo lengths = Optional.ofNullable(held.get(Part.MAGNITUDE))
                .orElseThrow(() -> new MalformedFileException("adapter " + label
                        + " uses DoRA but has no magnitude vector for " + target + "; get it again"));
        long due = plain.shape().get(byColumn ? 1 : 0);
        if (lengths.elements() != due || !StoredTensor.READABLE.contains(lengths.type())) {
            throw new MalformedFileException("adapter " + label + ": " + lengths.name() + " must hold " + due
                    + " floats but is " + lengths.type() + " " + lengths.shape());
        }
        return new DoraTensor(plain, stored(lengths, label + ":" + lengths.name()), byColumn);
    }

    /** A bias and what the adapter adds to it. */
    private TensorSource shifted(String target, TensorSource bias, Map<Part, TensorInfo> held, String name) {
        TensorInfo added = Objects.requireNonNull(held.get(Part.BIAS));
        String module = PeftTensor.module(target);
        TensorInfo first = Optional.ofNullable(parts.get(module + ".weight"))
                .map(others -> others.get(Part.A))
                .orElseThrow(() -> new MalformedFileException(
                        "adapter " + label + " has " + added.name() + " but no factors beside it; get it again"));
        if (!added.shape().equals(bias.shape()) || !StoredTensor.READABLE.contains(added.type())) {
            throw new MalformedFileException("adapter " + label + ": " + added.name() + " is " + added.shape() + " but "
                    + target + " is " + bias.shape() + "; use the model it was trained on");
        }
        return new ShiftedTensor(
                bias, stored(added, label + ":" + added.name()), config.scale(module, first.dim(0)), name);
    }

    /** A matrix with the rows that the adapter holds. */
    private TensorSource replaced(String target, TensorSource matrix, Map<Part, TensorInfo> held, String name) {
        TensorInfo values = Objects.requireNonNull(held.get(Part.TOKENS));
        List<Integer> tokens = config.tokens(PeftTensor.module(target));
        long width = matrix.shape().get(matrix.shape().size() - 1);
        if (matrix.shape().size() != 2
                || !values.shape().equals(List.of((long) tokens.size(), width))
                || !StoredTensor.READABLE.contains(values.type())) {
            throw new MalformedFileException("adapter " + label + ": " + values.name() + " is " + values.type() + " "
                    + values.shape() + " but must be the rows of " + tokens.size()
                    + " tokens (trainable_token_indices) of " + target + ", which is " + matrix.shape()
                    + "; use the model it was trained on");
        }
        int count = Math.toIntExact(matrix.shape().get(0));
        RowTensor.Rows rows = new RowTensor.Rows(count);
        for (int i = 0; i < count; i++) {
            rows.take(i, 0, i);
        }
        for (int i = 0; i < tokens.size(); i++) {
            if (tokens.get(i) >= count) {
                throw new MalformedFileException("adapter " + label + " holds a row of token " + tokens.get(i) + " but "
                        + target + " has " + count + " rows; add the tokens to the model first");
            }
            rows.take(tokens.get(i), 1, i);
        }
        return new RowTensor(
                List.of(matrix, stored(values, label + ":" + values.name())), rows, Math.toIntExact(width), name);
    }

    private TensorSource factor(String target, Map<Part, TensorInfo> held, Part part) {
        TensorInfo info = Optional.ofNullable(held.get(part))
                .orElseThrow(() -> new MalformedFileException(
                        "adapter " + label + " lacks factor " + part + " for " + target + "; get it again"));
        if (info.shape().size() != 2 || !StoredTensor.READABLE.contains(info.type())) {
            throw new UnsupportedModelException("adapter " + label + ": " + info.name()
                    + " must be a matrix of floats but is " + info.type() + " " + info.shape());
        }
        return stored(info, label + ":" + info.name());
    }

    private StoredTensor stored(TensorInfo info, String name) {
        return new StoredTensor(file, info, name);
    }

    @Override
    public void close() {
        file.close();
    }
}
