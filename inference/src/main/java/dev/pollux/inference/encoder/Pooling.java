package dev.pollux.inference.encoder;

/**
 * How the token vectors of a text are combined into one vector, as defined by sentence-transformers.
 *
 * <p>h_i is the vector of token i of n, special tokens included.
 */
public enum Pooling {
    /** h_1, the vector of the token that begins the text ([CLS], &lt;s&gt;). */
    CLS("cls", "pooling_mode_cls_token") {
        @Override
        void pool(Tokens tokens, float[] out, int at) {
            System.arraycopy(tokens.values, tokens.from * tokens.width, out, at, tokens.width);
        }
    },
    /** The largest value of each component. */
    MAX("max", "pooling_mode_max_tokens") {
        @Override
        void pool(Tokens tokens, float[] out, int at) {
            System.arraycopy(tokens.values, tokens.from * tokens.width, out, at, tokens.width);
            for (int i = tokens.from + 1; i < tokens.count; i++) {
                for (int j = 0; j < tokens.width; j++) {
                    out[at + j] = Math.max(out[at + j], tokens.values[i * tokens.width + j]);
                }
            }
        }
    },
    /** Σ h_i / n. */
    MEAN("mean", "pooling_mode_mean_tokens") {
        @Override
        void pool(Tokens tokens, float[] out, int at) {
            tokens.sum(false, 1.0 / (tokens.count - tokens.from), out, at);
        }
    },
    /** Σ h_i / √n. */
    MEAN_SQRT_LENGTH("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens") {
        @Override
        void pool(Tokens tokens, float[] out, int at) {
            tokens.sum(false, 1 / Math.sqrt(tokens.count - tokens.from), out, at);
        }
    },
    /** Σ i·h_i / Σ i (Muennighoff, SGPT, arXiv:2202.08904). */
    WEIGHTED_MEAN("weightedmean", "pooling_mode_weightedmean_tokens") {
        @Override
        void pool(Tokens tokens, float[] out, int at) {
            double weights = 0;
            for (int i = tokens.from; i < tokens.count; i++) {
                weights += i + 1;
            }
            tokens.sum(true, 1 / weights, out, at);
        }
    },
    /** h_n, the vector of the last token, for decoders used as embedders. */
    LAST_TOKEN("lasttoken", "pooling_mode_lasttoken") {
        @Override
        void pool(Tokens tokens, float[] out, int at) {
            System.arraycopy(tokens.values, (tokens.count - 1) * tokens.width, out, at, tokens.width);
        }
    };

    private final String configName;
    private final String configFlag;

    Pooling(String configName, String configFlag) {
        this.configName = configName;
        this.configFlag = configFlag;
    }

    /** The value of {@code pooling_mode}. */
    String configName() {
        return configName;
    }

    /** The key that enables it in older configurations; several are concatenated in the order of this enum. */
    String configFlag() {
        return configFlag;
    }

    /** Writes the pooled vector to {@code out}, starting at {@code at}. */
    abstract void pool(Tokens tokens, float[] out, int at);

    /**
     * The vectors of a text's tokens.
     *
     * @param values (count, width), may be longer
     * @param from the first pooled token, less than {@code count}; earlier tokens belong to an excluded prompt
     */
    record Tokens(float[] values, int from, int count, int width) {

        /** Σ w_i·h_i · scale with w_i = i or 1, accumulated in double. */
        private void sum(boolean weighted, double scale, float[] out, int at) {
            double[] sums = new double[width];
            for (int i = from; i < count; i++) {
                double weight = weighted ? i + 1 : 1;
                int row = i * width;
                for (int j = 0; j < width; j++) {
                    sums[j] += weight * values[row + j];
                }
            }
            for (int j = 0; j < width; j++) {
                out[at + j] = (float) (sums[j] * scale);
            }
        }
    }
}
