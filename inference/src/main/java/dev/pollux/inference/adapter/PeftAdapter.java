package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.Adapter.Factors;
import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.inference.checkpoint.LanguageModel;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads an adapter in PEFT's form. */
final class PeftAdapter {

    private final Path folder;
    private final PeftConfig config;

    PeftAdapter(Path folder) {
        this.folder = folder;
        this.config = PeftConfig.read(folder)
                .orElseThrow(() ->
                        new StorageException("There is no adapter in " + folder + ": it has no " + PeftConfig.CONFIG));
    }

    Adapter read() {
        requirePlain();
        Path file = folder.resolve(PeftConfig.WEIGHTS);
        if (!Files.isRegularFile(file)) {
            throw new MalformedFileException(folder + " has no " + PeftConfig.WEIGHTS + "; download or convert it");
        }
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            Map<String, Map<String, TensorInfo>> parts = new HashMap<>();
            Map<String, TensorInfo> bases = new HashMap<>();
            tensors.tensors().forEach((name, info) -> {
                Optional<PeftTensor> tensor = PeftTensor.parse(name);
                Part part = tensor.map(PeftTensor::part).orElse(Part.WHOLE);
                if (tensor.isPresent() && part == Part.BASE) {
                    bases.put(tensor.get().target(), info);
                } else if (tensor.isEmpty()
                        || part != Part.A && part != Part.B
                        || info.shape().size() != 2) {
                    throw refused(name + " of shape " + info.shape() + ", which is no factor of a matrix");
                } else {
                    String kind = part + (tensor.get().embedding() ? " of an embedding" : "");
                    Map<String, TensorInfo> both =
                            parts.computeIfAbsent(tensor.get().target(), key -> new TreeMap<>());
                    if (both.put(kind, info) != null) {
                        throw new MalformedFileException(
                                folder + " holds several adapters: " + name + " is a second factor " + kind + " of "
                                        + tensor.get().target() + "; save them one by one");
                    }
                }
            });
            TreeMap<String, Factors> factors = new TreeMap<>();
            parts.forEach((target, both) ->
                    factors.put(LanguageModel.own(target), factors(tensors, PeftTensor.module(target), both)));
            bases.forEach(
                    (target, base) -> requireUnchangedShape(target, base, factors.get(LanguageModel.own(target))));
            return Adapter.of(folder, factors);
        }
    }

    /**
     * PEFT saves the matrix of an embedding or a head beside its factors: the model's own, unless tokens were added to it. One
     * without factors was saved because of that too.
     */
    private void requireUnchangedShape(String target, TensorInfo base, @Nullable Factors factors) {
        List<Long> rows = factors == null ? List.of() : List.of((long) factors.rows(), (long) factors.columns());
        List<Long> columns = factors == null ? List.of() : List.of((long) factors.columns(), (long) factors.rows());
        if (!base.shape().equals(rows) && !base.shape().equals(columns)) {
            throw refused(target + " of shape " + base.shape() + " as a whole");
        }
    }

    private Factors factors(SafetensorsFile tensors, String module, Map<String, TensorInfo> parts) {
        String kind = parts.keySet().iterator().next().substring(1);
        TensorInfo a = parts.get("A" + kind);
        TensorInfo b = parts.get("B" + kind);
        if (a == null || b == null || parts.size() != 2) {
            throw new MalformedFileException(
                    folder + ": " + module + " must have a factor A and a factor B; get the adapter again");
        }
        int rank = a.dim(0);
        return Adapter.factors(
                folder + ": " + module,
                new int[] {rank, a.dim(1)},
                new int[] {b.dim(0), b.dim(1)},
                new float[][] {tensors.floats(a.name()), tensors.floats(b.name())},
                config.scale(module, rank));
    }

    private void requirePlain() {
        Optional<String> other = config.otherChange();
        if (other.isPresent()) {
            throw new UnsupportedModelException(
                    "The adapter " + folder + " has " + other.get() + "; only LoRA factors of matrices can be read");
        }
        if (config.is("use_dora")) {
            throw refused("DoRA, which scales whole matrices");
        }
        for (String part : List.of("modules_to_save", "trainable_token_indices")) {
            if (config.has(part)) {
                throw refused(part);
            }
        }
        if (!config.setting("bias").asString("none").equals("none") || config.is("lora_bias")) {
            throw refused("biases");
        }
    }

    private UnsupportedModelException refused(String what) {
        return new UnsupportedModelException("The adapter " + folder + " has " + what
                + ": only LoRA factors of matrices can be added to a running model; merge it into the model first"
                + " (pollux merge)");
    }
}
