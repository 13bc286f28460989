package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.tensor.StackedMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The inputs of each layer by token of Gemma 3n and 4. */
final class LayerInputs {

    private LayerInputs() {}

    /**
     * (table[ids] · sqrt(width) + norm(project(x) / sqrt(hidden))) / sqrt 2, in parts of the layers.
     *
     * @param x the scaled embedding
     * @param width of the input of a layer
     */
    static List<Value> write(Transformer family, Value x, int width) {
        Blocks b = family.b;
        int layers = b.config.layers();
        int hidden = b.config.hiddenSize();
        int all = layers * width;
        int rows = b.settings.integer("vocab_size_per_layer_input", b.config.vocabularySize());
        StackedMatrix table =
                b.matrix(all, "model.embed_tokens_per_layer.weight").requireRows(rows);
        Value tokens = b.scaled(b.lowering().embed("embedding.layers", table), Math.sqrt(width));
        Value projected = b.project(x, "inputs.projected", "model.per_layer_model_projection.weight", all, hidden);
        Value small = b.scaled(projected, 1 / Math.sqrt(hidden));
        Value byLayer = b.perToken(small, "inputs.layers", layers, width);
        Value normed = b.norm(family.norm(), byLayer, "inputs.normed", "model.per_layer_projection_norm.weight", width);
        Value sum = b.op("Add", "inputs.sum", b.perToken(normed, "inputs.flat", all), tokens);
        int[] widths = new int[layers];
        Arrays.fill(widths, width);
        List<String> names =
                IntStream.range(0, layers).mapToObj(layer -> "inputs." + layer).toList();
        return b.split(b.scaled(sum, Math.sqrt(0.5)), names, widths);
    }
}
