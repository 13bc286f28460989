package dev.pollux.inference.quantize;

/**
 * How fast this processor multiplies by a quantized matrix. <em>Immutable.</em>
 *
 * @param bits bits of a code
 * @param blockSize number of weights that share a scale
 * @param columns width of the input
 * @param rows width of the result
 * @param oneToken time of a product with one token, as a share of that of the float matrix; below 1 is faster
 * @param manyTokens the same for 128 tokens
 */
public record KernelTime(int bits, int blockSize, int columns, int rows, double oneToken, double manyTokens) {

    private static final double SLOW = 1.5;

    /** Whether the runtime has no fast kernel for the form: it decodes the matrix in each step. */
    public boolean isSlow() {
        return oneToken > SLOW;
    }
}
