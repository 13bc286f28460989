package dev.pollux.inference.quantize;

import dev.pollux.inference.internal.JsonNode;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The operator QMoE in double precision, with weights read in its layout. */
final class ReferenceMixture {

    private final JsonNode attributes;
    private final Tensors tensors;
    private final int bits;
    private final int experts;
    private final int hidden;

    ReferenceMixture(JsonNode one, Tensors tensors) {
        this.attributes = one.path("attributes");
        this.tensors = tensors;
        this.bits = one.path("bits").asInt();
        this.experts = one.path("experts").asInt();
        this.hidden = one.path("hidden").asInt();
    }

    double[] run() {
        double[] x = Tensors.doubles(tensors.floats("x"));
        float[] router = tensors.floats("router");
        double[] y = new double[x.length];
        double[][] first = new double[experts][];
        double[][] second = new double[experts][];
        for (int e = 0; e < experts; e++) {
            first[e] = matrix("fc1", e);
            second[e] = matrix("fc2", e);
        }
        for (int t = 0; t < x.length / hidden; t++) {
            int token = t;
            int[] chosen = IntStream.range(0, experts)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer e) -> -router[token * experts + e]))
                    .limit(attributes.path("k").asInt())
                    .mapToInt(Integer::intValue)
                    .toArray();
            double[] weights = weights(router, token, chosen);
            for (int i = 0; i < chosen.length; i++) {
                double[] inner = activated(product(first[chosen[i]], x, token * hidden, hidden, "fc1", chosen[i]));
                double[] out = product(second[chosen[i]], inner, 0, inner.length, "fc2", chosen[i]);
                for (int j = 0; j < hidden; j++) {
                    y[token * hidden + j] += weights[i] * out[j];
                }
            }
        }
        return y;
    }

    private double[] weights(float[] router, int token, int[] chosen) {
        double[] weights = new double[chosen.length];
        boolean own = tensors.has("router_weights");
        double sum = 0;
        for (int i = 0; i < chosen.length; i++) {
            int at = token * experts + chosen[i];
            weights[i] = own ? tensors.floats("router_weights")[at] : Math.exp(router[at]);
            sum += weights[i];
        }
        if (!own || attributes.path("normalize_routing_weights").asInt(0) == 1) {
            for (int i = 0; i < weights.length; i++) {
                weights[i] /= sum;
            }
        }
        return weights;
    }

    /** (rows, columns) of an expert. */
    private double[] matrix(String name, int expert) {
        byte[] codes = tensors.bytes(name + "_weights");
        float[] scales = tensors.floats(name + "_scales");
        int rows = tensors.dim(name + "_weights", 1);
        int rowBytes = tensors.dim(name + "_weights", 2);
        int columns = rowBytes * 8 / bits;
        int block = attributes.path("block_size").asInt(columns);
        int blocks = columns / block;
        double[] matrix = new double[rows * columns];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                int code = PackedCodes.get(codes, (expert * rows + r) * rowBytes, c, bits);
                double zero = zero(name, expert * rows + r, c / block, blocks, rows, expert);
                matrix[r * columns + c] = (code - zero) * scales[(expert * rows + r) * blocks + c / block];
            }
        }
        return matrix;
    }

    private double zero(String name, int row, int block, int blocks, int rows, int expert) {
        if (!tensors.has(name + "_zero_points")) {
            return 1 << bits - 1;
        }
        byte[] zeros = tensors.bytes(name + "_zero_points");
        return attributes.has("block_size")
                ? PackedCodes.get(zeros, row * PackedCodes.bytes(blocks, bits), block, bits)
                : PackedCodes.get(zeros, expert * PackedCodes.bytes(rows, bits), row - expert * rows, bits);
    }

    private double[] product(double[] matrix, double[] x, int from, int columns, String name, int expert) {
        double[] y = new double[matrix.length / columns];
        float[] bias = tensors.has(name + "_bias") ? tensors.floats(name + "_bias") : new float[0];
        for (int r = 0; r < y.length; r++) {
            y[r] = bias.length == 0 ? 0 : bias[expert * y.length + r];
            for (int c = 0; c < columns; c++) {
                y[r] += matrix[r * columns + c] * x[from + c];
            }
        }
        return y;
    }

    private double[] activated(double[] x) {
        String type = attributes.path("activation_type").asString();
        if (type.equals("swiglu")) {
            double limit = attributes.path("swiglu_limit").asDouble(Double.POSITIVE_INFINITY);
            double alpha = attributes.path("activation_alpha").asDouble(1);
            double beta = attributes.path("activation_beta").asDouble(0);
            double[] y = new double[x.length / 2];
            for (int i = 0; i < y.length; i++) {
                double gate = Math.min(x[2 * i], limit);
                double up = Math.max(-limit, Math.min(limit, x[2 * i + 1]));
                y[i] = gate / (1 + Math.exp(-alpha * gate)) * (up + beta);
            }
            return y;
        }
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = type.equals("relu") ? Math.max(0, x[i]) : x[i] / (1 + Math.exp(-x[i]));
        }
        return y;
    }
}
