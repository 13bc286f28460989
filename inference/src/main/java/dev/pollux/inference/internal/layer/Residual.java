package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;
import java.util.List;

/**
 * The residual stream, (batch, tokens, hidden). An addition and the norm that follows it become one operator if the
 * lowering supports it. <em>Confined to one thread.</em>
 */
public final class Residual {

    private final Blocks blocks;
    private Value value;
    private Value pending = Value.NONE;

    public Residual(Blocks blocks, Value value) {
        this.blocks = blocks;
        this.value = value;
    }

    /** Adds the output of a part of a layer. */
    public void add(Value y) {
        value();
        pending = y;
    }

    /** Replaces the stream. */
    public void replace(Value newValue) {
        value = newValue;
        pending = Value.NONE;
    }

    /** Multiplies the stream by a number. */
    public void scale(double factor) {
        if (factor != 1) {
            String output = blocks.residualName();
            value = blocks.op("Mul", output, value(), blocks.constant(factor));
        }
    }

    /** The stream without a norm. */
    public Value value() {
        if (!pending.isNone()) {
            value = blocks.op("Add", blocks.residualName(), value, pending);
            pending = Value.NONE;
        }
        return value;
    }

    /** The stream, normalized. */
    public Value norm(Norm norm, String output, String weight) {
        if (!pending.isNone() && norm.kind() == Norm.Kind.RMS) {
            List<Value> both =
                    blocks.lowering().normOfSum(value, pending, norm, output, weight, blocks.nextResidualName());
            if (!both.isEmpty()) {
                blocks.residualName();
                value = both.get(1);
                pending = Value.NONE;
                return both.get(0);
            }
        }
        return blocks.norm(norm, value(), output, weight, blocks.config.hiddenSize());
    }
}
