package dev.pollux.inference.encoder;

/** A module of sentence-transformers that is applied after pooling. <em>Immutable.</em> */
sealed interface VectorLayer {

    /** The result for {@code vector}, which it may change. */
    float[] apply(float[] vector);

    /** The length of the result for vectors of length {@code width}; −1 if that length is not accepted. */
    int outputWidth(int width);

    /**
     * v / ‖v‖; the zero vector is unchanged.
     *
     * <p>The norm is accumulated in double.
     */
    record Normalize() implements VectorLayer {

        @Override
        public float[] apply(float[] vector) {
            double squares = 0;
            for (float value : vector) {
                squares += (double) value * value;
            }
            if (squares > 0) {
                double scale = 1 / Math.sqrt(squares);
                for (int i = 0; i < vector.length; i++) {
                    vector[i] = (float) (vector[i] * scale);
                }
            }
            return vector;
        }

        @Override
        public int outputWidth(int width) {
            return width;
        }
    }

    /**
     * f(W·v + b), plus the input or its projection if there is a residual. Dot products are accumulated in double.
     *
     * @param weight (out, in), row-major
     * @param bias (out)
     * @param residual (out, in), or empty for none; an identity is not stored but marked by {@code residualIdentity}
     */
    record Dense(
            int in,
            int out,
            float[] weight,
            float[] bias,
            Activation activation,
            boolean residualIdentity,
            float[] residual)
            implements VectorLayer {

        @Override
        public float[] apply(float[] vector) {
            float[] result = new float[out];
            for (int row = 0; row < out; row++) {
                double value = activation.of(bias[row] + dot(weight, row, vector));
                if (residualIdentity) {
                    value += vector[row];
                } else if (residual.length > 0) {
                    value += dot(residual, row, vector);
                }
                result[row] = (float) value;
            }
            return result;
        }

        private double dot(float[] matrix, int row, float[] vector) {
            double sum = 0;
            for (int i = 0; i < in; i++) {
                sum += (double) matrix[row * in + i] * vector[i];
            }
            return sum;
        }

        @Override
        public int outputWidth(int width) {
            return width == in ? out : -1;
        }
    }

    /**
     * (v − mean) / √(variance + ε) · weight + bias (Ba, Kiros and Hinton, arXiv:1607.06450), in double.
     *
     * @param weight (width)
     * @param bias (width)
     */
    record LayerNorm(float[] weight, float[] bias) implements VectorLayer {

        private static final double EPSILON = 1e-5;

        @Override
        public float[] apply(float[] vector) {
            double mean = 0;
            for (float value : vector) {
                mean += value;
            }
            mean /= vector.length;
            double variance = 0;
            for (float value : vector) {
                variance += (value - mean) * (value - mean);
            }
            double scale = 1 / Math.sqrt(variance / vector.length + EPSILON);
            for (int i = 0; i < vector.length; i++) {
                vector[i] = (float) ((vector[i] - mean) * scale * weight[i] + bias[i]);
            }
            return vector;
        }

        @Override
        public int outputWidth(int width) {
            return width == weight.length ? width : -1;
        }
    }
}
