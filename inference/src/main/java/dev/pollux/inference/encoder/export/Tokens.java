package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.GraphWriter.Type;
import java.util.Map;

/** Which tokens of a row are real: their positions, and one vector for the row. */
final class Tokens {

    private final Blocks blocks;

    Tokens(Blocks blocks) {
        this.blocks = blocks;
    }

    /** Positions 0, 1, … of real tokens, on whichever side the padding stands; (batch, tokens). */
    String positions() {
        String counted = blocks.op("CumSum", Map.of(), Blocks.MASK, blocks.integers(1));
        String ranks = blocks.op("Sub", Map.of(), counted, blocks.integers(1));
        return blocks.op("Max", Map.of(), ranks, blocks.integers(0));
    }

    /** Positions pad + 1, pad + 2, … of tokens that are not {@code pad}, which has the position pad; (batch, tokens). */
    String positionsAfter(int pad) {
        String isPad = blocks.op("Equal", Map.of(), Blocks.IDS, blocks.integers(pad));
        String other = blocks.cast(blocks.op("Not", Map.of(), isPad), Type.INT64);
        String real = blocks.multiply(other, Blocks.MASK);
        String ranks = blocks.op("CumSum", Map.of(), real, blocks.integers(1));
        return blocks.add(blocks.multiply(ranks, real), blocks.integers(pad));
    }

    /** The vector of the first real token; (batch, width). */
    String first(String hidden) {
        return at(hidden, 0);
    }

    /** The vector of the last real token; (batch, width). */
    String last(String hidden) {
        return at(hidden, 1);
    }

    private String at(String hidden, int last) {
        String index = blocks.op(
                "ArgMax", Map.of("axis", 1, "keepdims", 1, "select_last_index", last), Blocks.MASK); // (batch, 1)
        return blocks.op("GatherND", Map.of("batch_dims", 1), hidden, index);
    }

    /** The mean of the vectors of real tokens; (batch, width). */
    String mean(String hidden) {
        String mask = blocks.cast(blocks.op("Unsqueeze", Map.of(), Blocks.MASK, blocks.integers(2)), Type.FLOAT);
        String sum = sum(blocks.multiply(hidden, mask));
        return blocks.op("Div", Map.of(), sum, sum(mask));
    }

    /** x with the vectors of padding at zero. */
    String masked(String x) {
        String mask = blocks.cast(blocks.op("Unsqueeze", Map.of(), Blocks.MASK, blocks.integers(2)), Type.FLOAT);
        return blocks.multiply(x, mask);
    }

    private String sum(String x) {
        return blocks.op("ReduceSum", Map.of("keepdims", 0), x, blocks.integers(1));
    }
}
