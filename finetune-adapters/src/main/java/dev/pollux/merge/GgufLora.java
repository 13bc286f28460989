package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Adapter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** LoRA adapters in GGUF files, as llama.cpp has them. */
final class GgufLora {

    private GgufLora() {}

    /**
     * Lays the adapter in {@code file} over the tensors of {@code model}.
     *
     * @param label of the adapter
     * @param config of the model: the rows of q and k have an order that depends on the width of a head
     */
    static void layOver(
            String label, Path file, ObjectNode config, Map<String, TensorSource> model, String modelLabel) {
        Map<String, Adapter.Factors> changes =
                Adapter.read(file, headWidth(label, config)).factors();
        LoraWeights.requireTargets(label, changes.keySet(), model);
        changes.forEach((name, change) ->
                model.computeIfPresent(name, (target, matrix) -> adapted(label, target, matrix, change, modelLabel)));
    }

    private static int headWidth(String label, ObjectNode config) {
        JsonNode text = config.path("text_config").isObject() ? config.path("text_config") : config;
        int heads = text.path("num_attention_heads").asInt(0);
        int width = text.path("head_dim")
                .asInt(heads < 1 ? 0 : text.path("hidden_size").asInt(0) / heads);
        if (width < 1) {
            throw new MalformedFileException(
                    "adapter " + label + " is a GGUF file, for which the configuration of its"
                            + " model must have head_dim, or hidden_size and num_attention_heads; use the adapter's PEFT folder");
        }
        return width;
    }

    private static TensorSource adapted(
            String label, String target, TensorSource matrix, Adapter.Factors change, String modelLabel) {
        boolean transposed = LayerName.isEmbedding(target);
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
                modelLabel + ":" + target);
    }
}
