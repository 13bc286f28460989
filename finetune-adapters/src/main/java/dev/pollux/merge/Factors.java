package dev.pollux.merge;

/**
 * A change of a matrix as a product, ΔW = s·BA.
 *
 * @param b (out, r)
 * @param a (r, in)
 * @param scale s
 */
record Factors(double[][] b, double[][] a, double scale) {

    int rank() {
        return a.length;
    }

    /** x·y. */
    static double[][] product(double[][] x, double[][] y) {
        int columns = y.length == 0 ? 0 : y[0].length;
        double[][] result = new double[x.length][columns];
        for (int i = 0; i < x.length; i++) {
            for (int k = 0; k < y.length; k++) {
                double c = x[i][k];
                for (int j = 0; j < columns; j++) {
                    result[i][j] += c * y[k][j];
                }
            }
        }
        return result;
    }

    static double[][] transposed(double[][] x) {
        double[][] result = new double[x.length == 0 ? 0 : x[0].length][x.length];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < result.length; j++) {
                result[j][i] = x[i][j];
            }
        }
        return result;
    }
}
