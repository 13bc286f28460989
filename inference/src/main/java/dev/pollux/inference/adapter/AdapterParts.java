package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/*
 * PEFT only warns of a missing or surplus tensor, so a damaged adapter can silently have no effect. Here each tensor must
 * take part in a change, and each setting that implies tensors must find them. Three surplus forms written by PEFT itself
 * are accepted: a module saved under two names and the matrix of a tied head, both after the vocabulary has grown, and a
 * whole module that is missing from modules_to_save.
 */
/** The tensors of an adapter, grouped by the model's tensor they change and checked against each other and the settings. */
final class AdapterParts {

    private final Path path;
    private final PeftConfig config;
    private final Map<String, Map<Part, AdapterTensor>> parts = new TreeMap<>();
    private final Set<String> embeddings = new HashSet<>();

    /** @param path of the adapter, for messages */
    AdapterParts(Path path, PeftConfig config) {
        this.path = path;
        this.config = config;
    }

    Map<String, Map<Part, AdapterTensor>> byTarget() {
        return parts;
    }

    /** Targets whose factors are for the transpose. */
    Set<String> embeddings() {
        return embeddings;
    }

    /** Adds a tensor by its name in PEFT's format. */
    void add(AdapterTensor tensor) {
        PeftTensor name = PeftTensor.parse(tensor.key())
                .orElseThrow(() -> new UnsupportedModelException(the() + " holds " + tensor.key()
                        + ", which belongs to no kind of change that can be read; save it as a plain LoRA adapter"));
        if (!StoredTensor.READABLE.contains(tensor.type())) {
            throw new UnsupportedModelException(
                    the() + ": " + tensor.key() + " must be floats but is " + tensor.shown() + "; save it as float32");
        }
        add(name, tensor);
    }

    void add(PeftTensor name, AdapterTensor tensor) {
        if (name.embedding()) {
            embeddings.add(name.target());
        }
        Map<Part, AdapterTensor> of = parts.computeIfAbsent(name.target(), target -> new EnumMap<>(Part.class));
        AdapterTensor first = of.put(name.part(), tensor);
        if (first != null && name.part() == Part.WHOLE && isSaved(first) != isSaved(tensor)) {
            of.put(Part.WHOLE, isSaved(first) ? first : tensor);
        } else if (first != null) {
            throw malformed(" holds " + first.key() + " and " + tensor.key() + ", two tensors of one kind for "
                    + name.target() + "; save one adapter alone");
        }
    }

    /**
     * Whether it is stored under {@code modules_to_save}. PEFT writes a trained module under two names if the vocabulary
     * has grown.
     */
    private static boolean isSaved(AdapterTensor tensor) {
        return tensor.key().contains(".modules_to_save.");
    }

    /** Checks that no tensor is missing or surplus and that shapes are compatible. */
    void check() {
        boolean tokens = parts.values().stream().anyMatch(of -> of.containsKey(Part.TOKENS));
        parts.entrySet()
                .removeIf(target -> LayerName.isHead(target.getKey())
                        && target.getValue().keySet().equals(Set.of(Part.BASE))
                        && (tokens || config.is("ensure_weight_tying")));
        parts.forEach(this::check);
        if (config.has("modules_to_save") && !anyHolds(Part.WHOLE)) {
            throw malformed(" has modules_to_save but holds no module as a whole; download it again");
        }
        if (config.has("trainable_token_indices") && !tokens) {
            throw malformed(" has trainable_token_indices but holds no rows of tokens; download it again");
        }
    }

    private boolean anyHolds(Part part) {
        return parts.values().stream().anyMatch(of -> of.containsKey(part));
    }

    private void check(String target, Map<Part, AdapterTensor> of) {
        boolean factored = of.containsKey(Part.A) || of.containsKey(Part.B);
        if (factored) {
            checkFactors(target, of);
        }
        AdapterTensor magnitude = of.get(Part.MAGNITUDE);
        if (magnitude != null && !factored) {
            throw malformed(" holds " + magnitude.key() + " but no factors of " + target + "; download it again");
        }
        AdapterTensor bias = of.get(Part.BIAS);
        if (bias != null) {
            checkBias(target, bias);
        }
        AdapterTensor rows = of.get(Part.TOKENS);
        if (rows != null) {
            int count = config.tokens(PeftTensor.module(target)).size();
            if (rows.shape().size() != 2 || rows.shape().get(0) != count) {
                throw malformed(": " + rows.key() + " must hold a row for each of " + count
                        + " tokens (trainable_token_indices) but is " + rows.shown() + "; download it again");
            }
        }
    }

    private void checkFactors(String target, Map<Part, AdapterTensor> of) {
        AdapterTensor a = factor(target, of, Part.A);
        AdapterTensor b = factor(target, of, Part.B);
        if (!LowRankChange.fit(a.shape(), b.shape())) {
            throw malformed(": the factors of " + target
                    + " must be (rank, columns) and (rows, rank), with a rank in [1, " + LowRankChange.MAX_RANK
                    + "], but are " + a.shape() + " and " + b.shape() + "; download it again");
        }
        AdapterTensor magnitude = of.get(Part.MAGNITUDE);
        if (magnitude == null && config.is("use_dora")) {
            throw malformed(" uses DoRA but has no magnitude vector for " + target + "; download it again");
        }
        if (magnitude != null && magnitude.values().elements() != b.shape().get(0)) {
            throw malformed(": " + magnitude.key() + " must hold " + b.shape().get(0) + " floats but is "
                    + magnitude.shown() + "; download it again");
        }
    }

    private AdapterTensor factor(String target, Map<Part, AdapterTensor> of, Part part) {
        AdapterTensor factor = Optional.ofNullable(of.get(part))
                .orElseThrow(() -> malformed(" lacks factor " + part + " of " + target + "; download it again"));
        if (factor.shape().size() != 2) {
            throw new UnsupportedModelException(the() + ": " + factor.key() + " must be a matrix but is "
                    + factor.shown() + "; factors of stacked experts are not supported");
        }
        return factor;
    }

    /** An added bias needs factors in its module, since their scale multiplies it. */
    private void checkBias(String target, AdapterTensor bias) {
        AdapterTensor b = parts.getOrDefault(PeftTensor.module(target) + ".weight", Map.of())
                .get(Part.B);
        if (b == null) {
            throw malformed(" holds " + bias.key() + " but no factors of its module; download it again");
        }
        if (!bias.shape().equals(List.of(b.shape().get(0)))) {
            throw malformed(": " + bias.key() + " must hold " + b.shape().get(0) + " floats but is " + bias.shown()
                    + "; download it again");
        }
    }

    /** The scale of each product, by target. */
    Map<String, Double> scales() {
        Map<String, Double> scales = new TreeMap<>();
        parts.forEach((target, of) -> Optional.ofNullable(of.get(Part.A))
                .ifPresent(a -> scales.put(
                        target,
                        config.scale(PeftTensor.module(target), a.shape().get(0).intValue()))));
        return scales;
    }

    private String the() {
        return "The adapter " + path;
    }

    private MalformedFileException malformed(String what) {
        return new MalformedFileException(the() + what);
    }

    /** The type in which a tensor is saved. */
    static DType saved(DType type) {
        return type == DType.F64 ? DType.F32 : type;
    }
}
