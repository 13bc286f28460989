package dev.pollux.inference.quantize;

import dev.pollux.quantization.QuantizationMethod;
import java.util.List;

/**
 * A quantized matrix in memory. <em>Not thread-safe: one thread at a time.</em>
 *
 * @param method how the codes were chosen
 * @param parts its rows, in order
 * @param scales σ by which the columns were multiplied before they were coded, (columns); empty for 1
 */
record CodedMatrix(QuantizationMethod method, List<CodedRows> parts, double[] scales) {

    CodedMatrix {
        parts = List.copyOf(parts);
    }

    CodedMatrix(QuantizationMethod method, List<CodedRows> parts) {
        this(method, parts, new double[0]);
    }

    /** (rows, columns), in 32-bit floats, without the scales of columns. */
    float[] dequantized() {
        int size = 0;
        for (CodedRows part : parts) {
            size += part.rows * part.columns;
        }
        float[] values = new float[size];
        int at = 0;
        for (CodedRows part : parts) {
            float[] some = part.dequantized(scales);
            System.arraycopy(some, 0, values, at, some.length);
            at += some.length;
        }
        return values;
    }

    /** Divides row {@code first + i} by {@code divisors[i]}; its codes stay. */
    void divideRows(int first, double[] divisors) {
        int row = 0;
        for (CodedRows part : parts) {
            for (int r = 0; r < part.rows; r++, row++) {
                if (row >= first && row < first + divisors.length) {
                    part.divideRow(r, divisors[row - first]);
                }
            }
        }
    }
}
