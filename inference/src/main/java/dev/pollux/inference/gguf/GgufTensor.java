package dev.pollux.inference.gguf;

import dev.pollux.tensor.DType;
import java.util.List;

/**
 * A tensor of a written file. <em>Immutable.</em>
 *
 * @param name its name in GGUF
 * @param shape dimensions, slowest first
 * @param type its type in the file
 * @param bytes its size in the file
 */
public record GgufTensor(String name, List<Long> shape, DType type, long bytes) {

    public GgufTensor {
        shape = List.copyOf(shape);
    }
}
