package dev.pollux.inference.internal.masked;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Value;
import java.util.Map;

/** Which tokens of a row are real: their positions, and one vector for the row. */
public final class Tokens {

    private final Operators blocks;

    public Tokens(Operators blocks) {
        this.blocks = blocks;
    }

    /** Positions 0, 1, … of real tokens, on whichever side the padding stands; (batch, tokens). */
    public Value positions() {
        Value counted = blocks.op("CumSum", Map.of(), Operators.MASK, blocks.integers(1));
        Value ranks = blocks.op("Sub", Map.of(), counted, blocks.integers(1));
        return blocks.op("Max", Map.of(), ranks, blocks.integers(0));
    }

    /** Positions pad + 1, pad + 2, … of tokens that are not {@code pad}, which has the position pad; (batch, tokens). */
    public Value positionsAfter(int pad) {
        Value isPad = blocks.op("Equal", Map.of(), Operators.IDS, blocks.integers(pad));
        Value other = blocks.cast(blocks.op("Not", Map.of(), isPad), ElementType.INT64);
        Value real = blocks.multiply(other, Operators.MASK);
        Value ranks = blocks.op("CumSum", Map.of(), real, blocks.integers(1));
        return blocks.add(blocks.multiply(ranks, real), blocks.integers(pad));
    }

    /** The vector of the first real token; (batch, width). */
    public Value first(Value hidden) {
        return at(hidden, 0);
    }

    /** The vector of the last real token; (batch, width). */
    public Value last(Value hidden) {
        return at(hidden, 1);
    }

    private Value at(Value hidden, int last) {
        Value index = blocks.op(
                "ArgMax", Map.of("axis", 1, "keepdims", 1, "select_last_index", last), Operators.MASK); // (batch, 1)
        return blocks.op("GatherND", Map.of("batch_dims", 1), hidden, index);
    }

    /** The mean of the vectors of real tokens; (batch, width). */
    public Value mean(Value hidden) {
        Value mask =
                blocks.cast(blocks.op("Unsqueeze", Map.of(), Operators.MASK, blocks.integers(2)), ElementType.FLOAT);
        Value sum = sum(blocks.multiply(hidden, mask));
        return blocks.op("Div", Map.of(), sum, sum(mask));
    }

    /** x with the vectors of padding at zero. */
    public Value masked(Value x) {
        Value mask =
                blocks.cast(blocks.op("Unsqueeze", Map.of(), Operators.MASK, blocks.integers(2)), ElementType.FLOAT);
        return blocks.multiply(x, mask);
    }

    private Value sum(Value x) {
        return blocks.op("ReduceSum", Map.of("keepdims", 0), x, blocks.integers(1));
    }
}
