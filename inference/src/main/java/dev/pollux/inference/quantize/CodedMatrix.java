package dev.pollux.inference.quantize;

import dev.pollux.quantization.QuantizationMethod;
import java.util.List;

/**
 * A quantized matrix in memory. <em>Immutable.</em>
 *
 * @param method how the codes were chosen
 * @param parts its rows, in order
 */
record CodedMatrix(QuantizationMethod method, List<CodedRows> parts) {

    CodedMatrix {
        parts = List.copyOf(parts);
    }

    /** (rows, columns), in 32-bit floats. */
    float[] dequantized() {
        int size = 0;
        for (CodedRows part : parts) {
            size += part.rows * part.columns;
        }
        float[] values = new float[size];
        int at = 0;
        for (CodedRows part : parts) {
            float[] some = part.dequantized();
            System.arraycopy(some, 0, values, at, some.length);
            at += some.length;
        }
        return values;
    }
}
