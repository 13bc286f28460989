package dev.pollux.finetune.internal.training;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * An input of layer graphs made of parameters.
 *
 * @param name in graphs
 * @param shape all sizes known
 * @param writer writes the values of the parameters into an array of zeros in the shape, which may be longer
 * @param reader adds gradients in the shape, in an array that may be longer, to those of the parameters
 */
record TrainedInput(
        String name,
        List<Long> shape,
        BiConsumer<TrainedInput, float[]> writer,
        BiConsumer<TrainedInput, float[]> reader) {

    TrainedInput {
        shape = List.copyOf(shape);
    }

    Value value() {
        return new Value(
                name,
                ElementType.FLOAT,
                Shape.of(shape.stream().mapToLong(Long::longValue).toArray()));
    }
}
