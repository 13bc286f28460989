package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * One input of a run of a graph.
 *
 * @param name the graph's name for it
 * @param shape its sizes
 * @param bytes a direct buffer in native order with all elements from 0 to its limit
 */
record InputTensor(String name, ElementType type, List<Long> shape, ByteBuffer bytes) {

    InputTensor {
        shape = List.copyOf(shape);
    }
}
