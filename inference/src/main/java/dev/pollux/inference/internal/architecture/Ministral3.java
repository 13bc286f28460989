package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/**
 * Ministral 3: Mistral with queries scaled by 1 + β ln(1 + ⌊position / original context⌋), as in Llama 4.
 */
final class Ministral3 extends Transformer {

    private Value factors = Value.NONE;

    Ministral3(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        Attention attention = super.attention(layer, p).window(settings.count("sliding_window", 0));
        double beta = ropeSettings().number("llama_4_scaling_beta", 0);
        return beta == 0 ? attention : attention.queryFactors(factors(beta));
    }

    private Value factors(double beta) {
        if (factors.isNone()) {
            double original = ropeSettings().positive("original_max_position_embeddings", config.contextLength());
            int rows = b.contextLength;
            factors = b.lowering().byPosition("query.factors", () -> table(rows, beta, original), rows, 1);
        }
        return factors;
    }

    private static float[] table(int rows, double beta, double original) {
        float[] table = new float[rows]; // (rows, 1)
        for (int position = 0; position < rows; position++) {
            table[position] = (float) (1 + beta * Math.log(1 + Math.floor(position / original)));
        }
        return table;
    }
}
