package dev.pollux.quantization;

import java.util.List;
import java.util.OptionalDouble;

/**
 * A quantized weight. <em>Immutable.</em>
 *
 * @param name the weight's name in the original graph
 * @param operators the operators that read it, such as {@code MatMul}; several if it is shared
 * @param shape its shape
 * @param method how its codes were chosen
 * @param bits bits of a code; 16 for {@link QuantizationMethod#FLOAT16}
 * @param blockSize number of weights that share a scale; 0 for {@link QuantizationMethod#FLOAT16}
 * @param symmetric whether there are no zero points
 * @param bytesBefore its bytes in the original graph
 * @param bytesAfter bytes of its codes, scales and zero points
 * @param relativeError ‖W − Ŵ‖ / ‖W‖ in the Frobenius norm; 0 for a weight of zeros, empty in a preview
 */
public record QuantizedLayer(
        String name,
        List<String> operators,
        List<Long> shape,
        QuantizationMethod method,
        int bits,
        int blockSize,
        boolean symmetric,
        long bytesBefore,
        long bytesAfter,
        OptionalDouble relativeError) {

    public QuantizedLayer {
        operators = List.copyOf(operators);
        shape = List.copyOf(shape);
    }

    /** The number of weights. */
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    /** A copy with the method that chose the codes in the end, and the error. */
    public QuantizedLayer measured(QuantizationMethod chosen, double error) {
        return new QuantizedLayer(
                name,
                operators,
                shape,
                chosen,
                bits,
                blockSize,
                symmetric,
                bytesBefore,
                bytesAfter,
                OptionalDouble.of(error));
    }
}
