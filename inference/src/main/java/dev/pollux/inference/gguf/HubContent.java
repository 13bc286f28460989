package dev.pollux.inference.gguf;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.GgufFamily;
import dev.pollux.inference.internal.TensorBytes;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufValue;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** The content of the GGUF file for a Hugging Face folder. */
final class HubContent {

    private static final String HEAD = "lm_head.weight";

    private final Checkpoint checkpoint;
    private final HubMetadata metadata;
    private final GgufFamily family;
    private final HubNames names;
    private final TensorFile file;
    private final List<PlannedTensor> tensors = new ArrayList<>();
    private final Map<String, TreeMap<Integer, String>> experts = new LinkedHashMap<>();

    private HubContent(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        this.metadata = HubMetadata.of(checkpoint);
        this.family = metadata.family();
        this.names = new HubNames(family, HubMetadata.plain());
        this.file = checkpoint.tensors();
    }

    static GgufPlan.Content of(Checkpoint checkpoint) {
        HubContent content = new HubContent(checkpoint);
        Map<String, GgufValue> values = content.metadata.values();
        HubTexts texts = HubTexts.of(checkpoint, content.metadata.architecture());
        values.putAll(texts.values());
        content.metadata
                .rotaryFactors()
                .forEach((name, factors) -> content.tensors.add(PlannedTensor.of(
                        name, List.of((long) factors.size()), DType.F32, new ElementSource.Constant(factors))));
        content.file.tensors().keySet().forEach(content::add);
        content.experts.forEach(content::stack);
        content.checkComplete();
        long bytes = content.file.tensors().values().stream()
                .mapToLong(TensorInfo::byteLength)
                .sum();
        return new GgufPlan.Content(
                content.metadata.architecture(),
                values,
                content.tensors,
                content.metadata.experts(),
                bytes,
                texts.notices());
    }

    private void add(String hub) {
        boolean unused = hub.endsWith("rotary_emb.inv_freq")
                || hub.equals(HEAD)
                        && checkpoint.config().tiedEmbedding()
                        && TensorBytes.equal(file, HEAD, "model.embed_tokens.weight");
        if (unused) {
            return;
        }
        HubNames.Name name = names.of(hub)
                .filter(one -> !one.text().endsWith(".bias") || metadata.takesBias(one.text()))
                .orElseThrow(() -> new UnsupportedModelException(checkpoint.path() + ": the tensor " + hub
                        + " has no place in a GGUF file of the architecture " + metadata.architecture()
                        + "; the model is of another kind"));
        if (name.expert() >= 0) {
            experts.computeIfAbsent(name.text(), key -> new TreeMap<>()).put(name.expert(), hub);
            return;
        }
        TensorInfo info = file.info(hub);
        tensors.add(PlannedTensor.of(name.text(), info.shape(), info.type(), source(hub, info)));
    }

    private ElementSource source(String hub, TensorInfo info) {
        if (family.normShift() != 0 && hub.endsWith("norm.weight")) {
            return new ElementSource.Shifted(file, hub, (float) family.normShift());
        }
        if (family.pairs() && (hub.contains(".q_proj.") || hub.contains(".k_proj."))) {
            int columns = info.shape().size() == 1 ? 1 : info.dim(1);
            return new ElementSource.Paired(
                    file, hub, columns, checkpoint.config().headDim());
        }
        return new ElementSource.Stored(file, hub);
    }

    private void stack(String name, SortedMap<Integer, String> each) {
        List<String> parts = List.copyOf(each.values());
        TensorInfo first = file.info(parts.get(0));
        boolean whole = each.size() == metadata.experts()
                && each.lastKey() == each.size() - 1
                && parts.stream().allMatch(part -> file.info(part).shape().equals(first.shape()));
        if (!whole) {
            throw new MalformedFileException(checkpoint.path() + ": " + name + " must have " + metadata.experts()
                    + " experts of one shape but has " + each.keySet() + "; it is incomplete, download it again");
        }
        List<Long> shape = new ArrayList<>(first.shape());
        shape.add(0, (long) parts.size());
        tensors.add(
                PlannedTensor.of(name, shape, first.type(), new ElementSource.Stacked(file, parts, first.elements())));
    }

    /** Each layer must have the tensors of the first one that has as many. */
    private void checkComplete() {
        Map<Integer, Set<String>> layers = new TreeMap<>();
        Set<String> others = new TreeSet<>();
        for (PlannedTensor tensor : tensors) {
            String[] parts = tensor.name().split("\\.", 3);
            if (parts[0].equals("blk")) {
                layers.computeIfAbsent(Integer.parseInt(parts[1]), key -> new TreeSet<>())
                        .add(parts[2]);
            } else {
                others.add(tensor.name());
            }
        }
        int due = checkpoint.config().layers();
        if (layers.size() != due || !layers.containsKey(due - 1)) {
            throw new MalformedFileException(checkpoint.path() + " must have the tensors of " + due
                    + " layers but has those of " + layers.keySet() + "; it is incomplete, download it again");
        }
        Set<String> needed = new TreeSet<>(Set.of("token_embd.weight", "output_norm.weight"));
        if (!checkpoint.config().tiedEmbedding()) {
            needed.add("output.weight");
        }
        needed.removeAll(others);
        if (!needed.isEmpty()) {
            throw new MalformedFileException(
                    checkpoint.path() + " has no tensors for " + needed + "; it is incomplete, download it again");
        }
        boolean mixed = metadata.experts() > 0; // dense layers among those with experts
        layers.forEach((layer, has) -> {
            if (!mixed && !has.equals(layers.get(0))) {
                throw new MalformedFileException(checkpoint.path() + ": layer " + layer + " must have the tensors "
                        + layers.get(0) + " of layer 0 but has " + has + "; it is incomplete, download it again");
            }
        });
    }
}
