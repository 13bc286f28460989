package dev.pollux.inference.decoder;

import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;

/**
 * Ministral 3: Mistral whose queries grow with the position, by 1 + β ln(1 + ⌊position / original context⌋), as Llama 4's do.
 */
final class Ministral3 extends Transformer {

    private String factors = "";

    Ministral3(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        Attention attention = super.attention(layer, p).window(settings.count("sliding_window", 0));
        double beta = ropeSettings().number("llama_4_scaling_beta", 0);
        return beta == 0 ? attention : attention.queryFactors(factors(beta));
    }

    private String factors(double beta) {
        if (factors.isEmpty()) {
            double original = ropeSettings().positive("original_max_position_embeddings", config.contextLength());
            float[] table = new float[b.contextLength]; // (contextLength, 1)
            for (int position = 0; position < table.length; position++) {
                table[position] = (float) (1 + beta * Math.log(1 + Math.floor(position / original)));
            }
            factors = b.byPosition("query.factors", table, 1);
        }
        return factors;
    }
}
