package dev.pollux.quantization;

import java.util.List;

/**
 * A weight of at least two dimensions that stays in float. <em>Immutable.</em>
 *
 * @param name the weight's name in the graph
 * @param shape its shape
 * @param bytes its size
 * @param reason why it was not quantized, such as {@code Conv has no kernel for blocks}
 */
public record KeptWeight(String name, List<Long> shape, long bytes, String reason) {

    public KeptWeight {
        shape = List.copyOf(shape);
    }
}
