package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Adapter.Factors;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads an adapter in PEFT's form. */
final class PeftAdapter {

    private static final Pattern FACTOR = Pattern.compile(
            "(?:base_model\\.model\\.|base_model\\.)?(.+)\\.lora_(embedding_)?([AB])(?:\\.default)?(?:\\.weight)?");

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
            tensors.tensors().forEach((name, info) -> {
                Matcher matcher = FACTOR.matcher(name);
                if (!matcher.matches() || info.shape().size() != 2) {
                    throw refused(name + " of shape " + info.shape() + ", which is no factor of a matrix");
                }
                String part = matcher.group(3) + (matcher.group(2) == null ? "" : " of an embedding");
                parts.computeIfAbsent(matcher.group(1), key -> new TreeMap<>()).put(part, info);
            });
            TreeMap<String, Factors> factors = new TreeMap<>();
            parts.forEach((module, both) -> factors.put(weight(module), factors(tensors, module, both)));
            return Adapter.of(folder, factors);
        }
    }

    /** The name of a module's matrix, without the wrapper of a model that also sees. */
    private static String weight(String module) {
        return LanguageModel.own(module + ".weight");
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
        if (!config.type().equals("LORA")) {
            throw refused("peft_type " + config.type());
        }
        if (config.is("use_dora")) {
            throw refused("DoRA, which scales whole matrices");
        }
        for (String part : List.of("modules_to_save", "trainable_token_indices", "target_parameters")) {
            if (!config.setting(part).isEmpty()) {
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
