package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.PeftConfig;
import dev.pollux.tensor.SafetensorsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A LoRA adapter in PEFT's form, {@code adapter_config.json} and {@code adapter_model.safetensors}: W + (α/r)·B·A, or
 * (α/√r)·B·A for rsLoRA (arXiv 2312.03732); with DoRA (arXiv 2402.09353) each row of the sum at the length of a magnitude
 * vector.
 */
final class LoraWeights implements AutoCloseable {

    private static final List<String> PREFIXES = List.of("base_model.model.", "base_model.");

    private final String label;
    private final PeftConfig config;
    private final SafetensorsFile file;

    /** Model tensor → part ("A", "B", "magnitude", "added", "whole") → tensor of the adapter. */
    private final Map<String, Map<String, String>> parts = new LinkedHashMap<>();

    private LoraWeights(String label, PeftConfig config, SafetensorsFile file) {
        this.label = label;
        this.config = config;
        this.file = file;
        file.tensors().keySet().forEach(this::sort);
    }

    static LoraWeights open(String label, Path folder) {
        if (Files.isRegularFile(folder)) {
            throw new UnsupportedModelException("adapter " + label
                    + " is a file, which can be laid over a model but not merged with adapters; use its PEFT folder");
        }
        PeftConfig config = PeftConfig.read(folder)
                .orElseThrow(() -> new MalformedFileException("adapter " + label + " not found: " + folder + " has no "
                        + PeftConfig.CONFIG + "; download it first"));
        if (!config.type().equals("LORA")) {
            throw new UnsupportedModelException(
                    "adapter " + label + " has peft_type " + config.type() + "; only LORA can be merged");
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

    private void sort(String tensor) {
        String name = PREFIXES.stream()
                .filter(tensor::startsWith)
                .findFirst()
                .map(prefix -> tensor.substring(prefix.length()))
                .orElse(tensor)
                .replace(".default.", ".")
                .replace(".modules_to_save.", ".")
                .replace(".base_layer.", ".");
        for (String form : List.of(".lora_magnitude_vector.weight", ".lora_magnitude_vector")) {
            if (name.endsWith(form)) {
                put(name.substring(0, name.length() - form.length()) + ".weight", "magnitude", tensor);
                return;
            }
        }
        if (name.endsWith(".lora_B.bias")) {
            put(name.substring(0, name.length() - ".lora_B.bias".length()) + ".bias", "added", tensor);
            return;
        }
        for (String part : List.of("A", "B")) {
            for (String form : List.of(".lora_" + part + ".weight", ".lora_embedding_" + part)) {
                if (name.endsWith(form)) {
                    put(name.substring(0, name.length() - form.length()) + ".weight", part, tensor);
                    return;
                }
            }
        }
        if (name.contains(".lora_")) {
            throw new UnsupportedModelException("adapter " + label + " holds " + tensor
                    + ", which is no plain LoRA factor; only those can be merged");
        }
        put(name, "whole", tensor);
    }

    private void put(String target, String part, String tensor) {
        parts.computeIfAbsent(target, t -> new LinkedHashMap<>()).put(part, tensor);
    }

    /** The tensors of {@code model}, with the adapter over those it changes. */
    void layOver(Map<String, TensorSource> model, String modelLabel) {
        requireTargets(label, parts.keySet(), model);
        parts.forEach((target, factors) ->
                model.computeIfPresent(target, (name, matrix) -> adapted(name, matrix, factors, modelLabel)));
    }

    /** Refuses an adapter that changes what {@code model} does not have. */
    static void requireTargets(String label, Set<String> targets, Map<String, TensorSource> model) {
        TreeSet<String> strangers = new TreeSet<>(targets);
        strangers.removeAll(model.keySet());
        if (!strangers.isEmpty()) {
            throw new MalformedFileException("adapter " + label + " changes " + strangers.first()
                    + ", which its model does not have; use the model it was trained on");
        }
    }

    /** The tensors it changes. */
    Set<String> targets() {
        return parts.keySet();
    }

    /** The change of a tensor; empty if the adapter does not change it. */
    Optional<Factors> factors(String target) {
        Map<String, String> factors = parts.get(target);
        if (factors == null) {
            return Optional.empty();
        }
        if (factors.containsKey("whole") || String.valueOf(factors.get("A")).contains("lora_embedding_")) {
            throw new UnsupportedModelException("adapter " + label + " changes " + target
                    + " other than by a linear layer's factors; adapters with such changes merge as base+adapter");
        }
        double[][] a = rows(factor(target, factors, "A"));
        double[][] b = rows(factor(target, factors, "B"));
        if (a.length == 0 || b.length == 0 || a[0].length == 0 || b[0].length != a.length) {
            throw new MalformedFileException("adapter " + label + " has factors " + shape(target, "B") + " and "
                    + shape(target, "A") + " for " + target + "; get it again");
        }
        String module = target.substring(0, target.length() - ".weight".length());
        return Optional.of(new Factors(b, a, config.scale(module, a.length)));
    }

    private List<Long> shape(String target, String part) {
        return file.info(String.valueOf(parts.getOrDefault(target, Map.of()).get(part)))
                .shape();
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
    private TensorSource adapted(String target, TensorSource of, Map<String, String> factors, String modelLabel) {
        String whole = factors.get("whole");
        TensorSource matrix = whole == null ? of : new StoredTensor(file, file.info(whole), modelLabel + ":" + target);
        if (whole != null && factors.size() == 1) {
            return matrix;
        }
        if (factors.containsKey("added")) {
            return shifted(target, matrix, factors, modelLabel);
        }
        TensorSource a = factor(target, factors, "A");
        TensorSource b = factor(target, factors, "B");
        boolean embedding = String.valueOf(factors.get("A")).contains("lora_embedding_");
        boolean transposed = embedding || config.is("fan_in_fan_out");
        List<Long> made = transposed
                ? List.of(a.shape().get(1), b.shape().get(0))
                : List.of(b.shape().get(0), a.shape().get(1));
        if (!a.shape().get(0).equals(b.shape().get(1)) || !made.equals(matrix.shape())) {
            throw new MalformedFileException("adapter " + label + " has factors " + b.shape() + " and " + a.shape()
                    + " for " + target + ", which is " + matrix.shape() + "; use the model it was trained on");
        }
        String module = target.substring(0, target.length() - ".weight".length());
        double scale = config.scale(module, a.shape().get(0).intValue());
        TensorSource plain = new LoraTensor(matrix, a, b, transposed, scale, modelLabel + ":" + target);
        return factors.containsKey("magnitude") || config.is("use_dora")
                ? dora(target, plain, factors, transposed)
                : plain;
    }

    /** The directions of {@code plain} at the lengths that the adapter has learnt. */
    private TensorSource dora(String target, TensorSource plain, Map<String, String> factors, boolean byColumn) {
        String name = Optional.ofNullable(factors.get("magnitude"))
                .orElseThrow(() -> new MalformedFileException("adapter " + label
                        + " uses DoRA but has no magnitude vector for " + target + "; get it again"));
        long due = plain.shape().get(byColumn ? 1 : 0);
        if (file.info(name).elements() != due
                || !StoredTensor.READABLE.contains(file.info(name).type())) {
            throw new MalformedFileException("adapter " + label + ": " + name + " must hold " + due + " floats but is "
                    + file.info(name).type() + " " + file.info(name).shape());
        }
        return new DoraTensor(plain, new StoredTensor(file, file.info(name), label + ":" + name), byColumn);
    }

    /** A bias and what the adapter adds to it. */
    private TensorSource shifted(String target, TensorSource bias, Map<String, String> factors, String modelLabel) {
        String name = factors.getOrDefault("added", "");
        String module = target.substring(0, target.length() - ".bias".length());
        String first = Optional.ofNullable(parts.get(module + ".weight"))
                .map(others -> others.get("A"))
                .orElseThrow(() -> new MalformedFileException(
                        "adapter " + label + " has " + name + " but no factors beside it; get it again"));
        if (!file.info(name).shape().equals(bias.shape())
                || !StoredTensor.READABLE.contains(file.info(name).type())) {
            throw new MalformedFileException(
                    "adapter " + label + ": " + name + " is " + file.info(name).shape() + " but " + target + " is "
                            + bias.shape() + "; use the model it was trained on");
        }
        return new ShiftedTensor(
                bias,
                new StoredTensor(file, file.info(name), label + ":" + name),
                config.scale(module, file.info(first).dim(0)),
                modelLabel + ":" + target);
    }

    private TensorSource factor(String target, Map<String, String> factors, String part) {
        String name = Optional.ofNullable(factors.get(part))
                .orElseThrow(() -> new MalformedFileException(
                        "adapter " + label + " lacks factor " + part + " for " + target + "; get it again"));
        if (file.info(name).shape().size() != 2
                || !StoredTensor.READABLE.contains(file.info(name).type())) {
            throw new UnsupportedModelException("adapter " + label + ": " + name + " must be a matrix of floats but is "
                    + file.info(name).type() + " " + file.info(name).shape());
        }
        return new StoredTensor(file, file.info(name), label + ":" + name);
    }

    @Override
    public void close() {
        file.close();
    }
}
