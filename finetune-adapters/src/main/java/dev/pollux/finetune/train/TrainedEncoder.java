package dev.pollux.finetune.train;

import dev.pollux.StorageException;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.SafetensorsWriter;
import dev.pollux.tensor.ShiftedTensor;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** A trained encoder as a folder: the model with its changes merged, and the files of its base. */
final class TrainedEncoder {

    private static final int DEPTH = 2;
    private static final String WEIGHTS = "model.safetensors";

    /** What belongs to sentence-transformers' embedders, and not to a cross-encoder. */
    private static final Set<String> OF_EMBEDDERS =
            Set.of("modules.json", "config_sentence_transformers.json", "1_Pooling", "2_Normalize");

    private final EncoderBase base;
    private final Map<String, LoraModule> modules = new HashMap<>();
    private final Map<String, Parameter> others = new HashMap<>();

    /** @param trained changes of the base as it is stored */
    TrainedEncoder(EncoderBase base, Trainables trained) {
        this.base = base;
        trained.modules().forEach(module -> modules.put(module.tensor(), module));
        trained.tensors().forEach(tensor -> others.put(tensor.tensor(), tensor));
    }

    /**
     * Writes the model.
     *
     * @param model the folder of the base model
     * @param work an existing folder
     */
    void write(Path model, Path work) {
        Path inside = model.toAbsolutePath()
                .normalize()
                .relativize(base.folder().toAbsolutePath().normalize());
        Path transformer = work.resolve(inside.toString());
        copy(model, work);
        try {
            Files.createDirectories(transformer);
        } catch (IOException e) {
            throw new StorageException("Cannot write into " + work + ": " + e + "; is the disk full?", e);
        }
        ObjectNode config =
                JsonFile.object(base.folder().resolve("config.json")).orElseGet(ObjectNode::new);
        base.settings().forEach((key, value) -> config.set(key, JsonNode.of(value)));
        config.put("torch_dtype", "float32");
        config.remove("dtype");
        JsonFile.write(transformer.resolve("config.json"), config);
        weights(transformer);
    }

    private void weights(Path folder) {
        List<TensorInfo> written = new ArrayList<>();
        base.tensors().tensors().values().stream()
                .filter(info -> info.type() == DType.F32 || info.type() == DType.F16 || info.type() == DType.BF16)
                .forEach(written::add);
        try (SafetensorsWriter file = SafetensorsWriter.create(
                folder.resolve(WEIGHTS), written.stream().map(TensorInfo::name).toList())) {
            for (TensorInfo info : written) {
                file.put(info.name(), DType.F32, changed(info));
            }
            file.finish();
        }
    }

    private TensorSource changed(TensorInfo info) {
        String name = info.name();
        TensorSource stored =
                others.containsKey(name) ? held(others.get(name)) : new StoredTensor(base.tensors(), info, name);
        LoraModule module = modules.get(name);
        if (module != null) {
            LowRankChange change = new LowRankChange(held(module.a()), held(module.b()), module.scale(), false);
            return module.magnitude()
                    .map(lengths -> change.addedTo(stored, false, held(lengths), name))
                    .orElseGet(() -> change.addedTo(stored, false, name));
        }
        LoraModule biased = name.endsWith(".bias") ? modules.get(name.replaceAll("bias$", "weight")) : null;
        Optional<Parameter> added = biased == null ? Optional.empty() : biased.bias();
        return biased == null || added.isEmpty()
                ? stored
                : new ShiftedTensor(stored, held(added.get()), biased.scale(), name);
    }

    private static TensorSource held(Parameter parameter) {
        return new HeldTensor(parameter.shape(), parameter.values(), parameter.name());
    }

    private void copy(Path model, Path work) {
        boolean newHead = base.settings().containsKey("architectures");
        try (Stream<Path> found = Files.walk(model, DEPTH)) {
            for (Path file : found.filter(Files::isRegularFile).sorted().toList()) {
                Path relative = model.relativize(file);
                boolean ofEmbedder = newHead && OF_EMBEDDERS.contains(String.valueOf(relative.getName(0)));
                if (isCarried(relative) && !ofEmbedder) {
                    Path target = work.resolve(relative.toString());
                    Files.createDirectories(target.resolveSibling(""));
                    Files.copy(file, target);
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot copy the files of " + model + ": " + e, e);
        }
    }

    /** Settings, tokenizers and licences; not weights, and not what describes the base alone. */
    private static boolean isCarried(Path relative) {
        String name = String.valueOf(relative.getFileName());
        boolean text = name.endsWith(".json") || name.endsWith(".txt") || name.endsWith(".model");
        return !relative.toString().startsWith(".")
                && (!name.equals("config.json") || relative.getNameCount() > 1)
                && !name.endsWith(".index.json")
                && !name.equals("artifact.json")
                && !name.startsWith("adapter_")
                && (text || name.startsWith("LICENSE") || name.startsWith("NOTICE"));
    }
}
