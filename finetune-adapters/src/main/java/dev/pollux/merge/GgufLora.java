package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.adapter.Adapter;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A LoRA adapter in a GGUF file, as llama.cpp has it.
 *
 * @param changes by the Hugging Face name of the matrix
 */
record GgufLora(String label, Map<String, Adapter.Factors> changes) implements AdapterChanges {

    /**
     * Reads the adapter in {@code file}.
     *
     * @param config of the model: the rows of q and k have an order that depends on the width of a head
     */
    static GgufLora read(String label, Path file, ObjectNode config) {
        return new GgufLora(label, Adapter.read(file, headWidth(label, config)).factors());
    }

    @Override
    public Set<String> targets() {
        return changes.keySet();
    }

    @Override
    public boolean tiesHead() {
        return false;
    }

    @Override
    public Optional<TensorSource> base(String target) {
        return Optional.empty();
    }

    private static int headWidth(String label, ObjectNode config) {
        JsonNode text = config.path("text_config").isObject() ? config.path("text_config") : config;
        int heads = text.path("num_attention_heads").asInt(0);
        int width = text.path("head_dim")
                .asInt(heads < 1 ? 0 : text.path("hidden_size").asInt(0) / heads);
        if (width < 1) {
            throw new MalformedFileException(
                    "adapter " + label + " is a GGUF file, for which the configuration of its model must have"
                            + " head_dim, or hidden_size and num_attention_heads; use the adapter's PEFT"
                            + " folder");
        }
        return width;
    }

    @Override
    public TensorSource adapted(String target, TensorSource matrix, boolean inOut, String name) {
        Adapter.Factors change = Objects.requireNonNull(changes.get(target));
        boolean transposed = inOut || LayerName.isEmbedding(target);
        long rows = transposed ? change.columns() : change.rows();
        long columns = transposed ? change.rows() : change.columns();
        if (!matrix.shape().equals(List.of(rows, columns))) {
            throw new MalformedFileException(
                    "adapter " + label + " has factors of a matrix of [" + rows + ", " + columns + "] for " + target
                            + ", which is " + matrix.shape() + "; use the model it was trained on");
        }
        long rank = change.rank();
        return new LoraTensor(
                matrix,
                new HeldTensor(List.of(rank, (long) change.columns()), change.a(), label + ":" + target),
                new HeldTensor(List.of((long) change.rows(), rank), change.b(), label + ":" + target),
                transposed,
                change.scale(),
                name);
    }
}
