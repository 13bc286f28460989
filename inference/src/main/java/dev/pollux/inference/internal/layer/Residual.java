package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.GraphWriter;
import java.util.List;
import java.util.Map;

/**
 * The residual stream, (1, S, hidden). An addition is written together with the norm that follows it, as one operator, where
 * one does. <em>Confined to one thread.</em>
 */
public final class Residual {

    private final Blocks blocks;
    private String value;
    private String pending = "";
    private int additions;

    public Residual(Blocks blocks, String value) {
        this.blocks = blocks;
        this.value = value;
    }

    public void add(String y) {
        value();
        pending = y;
    }

    /** The whole stream times a number. */
    public void scale(double factor) {
        if (factor != 1) {
            value = blocks.op("Mul", "residual." + additions++, value(), blocks.constant(factor));
        }
    }

    /** The stream as it is. */
    public String value() {
        if (!pending.isEmpty()) {
            value = blocks.graph.op("Add", "residual." + additions++, List.of(value, pending), Map.of());
            pending = "";
        }
        return value;
    }

    /** The stream, normalized. */
    public String norm(Norm norm, String output, String weight) {
        if (pending.isEmpty() || norm.kind() != Norm.Kind.RMS) {
            return blocks.norm(norm, value(), output, weight, blocks.config.hiddenSize());
        }
        String sum = "residual." + additions++;
        blocks.graph.node(
                "SkipSimplifiedLayerNormalization",
                GraphWriter.MICROSOFT,
                List.of(value, pending, blocks.normWeight(norm, output, weight, blocks.config.hiddenSize())),
                List.of(output, "", "", sum),
                Map.of("epsilon", (float) norm.epsilon()));
        value = sum;
        pending = "";
        return output;
    }
}
