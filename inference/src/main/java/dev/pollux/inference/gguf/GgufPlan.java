package dev.pollux.inference.gguf;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.GgufValue;
import dev.pollux.tensor.GgufWriter;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A model that is open for writing as GGUF, with the complete content of the file. Who opens it closes it. */
final class GgufPlan implements AutoCloseable {

    private final String architecture;
    private final Map<String, GgufValue> metadata;
    private final List<PlannedTensor> tensors;
    private final List<String> notices;
    private final long bytesBefore;
    private final List<Path> files;
    private final Runnable close;

    private GgufPlan(Content content, GgufOptions options, List<Path> files, Runnable close) {
        this.architecture = content.architecture();
        this.metadata = new LinkedHashMap<>(content.metadata());
        metadata.put("general.quantization_version", GgufValue.u32(2));
        metadata.put("general.file_type", GgufValue.u32(options.type().fileType()));
        TypeChoice choice = new TypeChoice(options, content.tensors(), content.experts());
        this.tensors = content.tensors().stream().map(choice::typed).toList();
        this.notices = new ArrayList<>(content.notices());
        this.bytesBefore = content.bytes();
        this.files = files;
        this.close = close;
        checkRules(options);
        boolean twice = tensors.stream()
                .anyMatch(one -> one.stored().isBlock() && one.tensor().type().isBlock() && !one.isCopied());
        if (twice) {
            notices.add("The model is quantized already and its weights are rounded a second time; a file made from the"
                    + " original weights is more exact");
        }
        if (choice.replaced() > 0) {
            notices.add(choice.replaced()
                    + " tensors have rows that the blocks of their type do not divide; they get a type"
                    + " with smaller blocks");
        }
    }

    /**
     * The parts of a file.
     *
     * @param tensors with any types
     * @param experts number of experts; 0 if there are none
     * @param bytes size of the original's tensors
     */
    record Content(
            String architecture,
            Map<String, GgufValue> metadata,
            List<PlannedTensor> tensors,
            long experts,
            long bytes,
            List<String> notices) {}

    private void checkRules(GgufOptions options) {
        for (GgufOptions.Rule rule : options.rules()) {
            if (tensors.stream().noneMatch(one -> rule.matches(one.name()))) {
                throw new IllegalArgumentException("rule '" + rule.pattern()
                        + "' must match a tensor but matches none, such as "
                        + tensors.get(0).name() + "; correct the pattern");
            }
        }
    }

    /** Opens a GGUF file, a folder with one, or a Hugging Face folder. */
    static GgufPlan open(Path model, GgufOptions options) {
        boolean hub = Files.isDirectory(model) && SafetensorsFolder.isIn(model);
        if (!hub && Files.isRegularFile(model)) {
            return ofGguf(GgufFile.open(model), options);
        }
        Checkpoint checkpoint = Checkpoint.open(model);
        try {
            if (!hub) {
                Path file = checkpoint.files().get(0);
                checkpoint.close();
                return ofGguf(GgufFile.open(file), options);
            }
            return new GgufPlan(HubContent.of(checkpoint), options, checkpoint.files(), checkpoint::close);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private static GgufPlan ofGguf(GgufFile file, GgufOptions options) {
        try {
            String architecture = file.string("general.architecture")
                    .orElseThrow(() -> new UnsupportedModelException(
                            file.files().get(0) + " has no general.architecture; it is not a model"));
            Map<String, GgufValue> metadata = new LinkedHashMap<>(file.values());
            metadata.keySet().removeIf(key -> key.startsWith("split."));
            List<PlannedTensor> tensors = new ArrayList<>();
            for (TensorInfo info : file.tensors().values()) {
                List<Long> shape = info.shape().isEmpty() ? List.of(1L) : info.shape();
                tensors.add(
                        PlannedTensor.of(info.name(), shape, info.type(), new ElementSource.Stored(file, info.name())));
            }
            long experts = file.integer(architecture + ".expert_count").orElse(0L);
            long bytes = file.tensors().values().stream()
                    .mapToLong(TensorInfo::byteLength)
                    .sum();
            Content content = new Content(architecture, metadata, tensors, experts, bytes, List.of());
            return new GgufPlan(content, options, file.files(), file::close);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    Map<String, GgufValue> metadata() {
        return metadata;
    }

    List<PlannedTensor> tensors() {
        return tensors;
    }

    List<GgufWriter.Tensor> layout() {
        return tensors.stream().map(PlannedTensor::tensor).toList();
    }

    List<Path> files() {
        return files;
    }

    GgufPreview preview() {
        List<GgufTensor> described = layout().stream()
                .map(one -> new GgufTensor(one.name(), one.shape(), one.type(), one.bytes()))
                .toList();
        return new GgufPreview(architecture, described, bytesBefore, GgufWriter.size(metadata, layout()), notices);
    }

    @Override
    public void close() {
        close.run();
    }
}
