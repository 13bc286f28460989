package dev.pollux.finetune.train;

import dev.pollux.inference.encoder.Pooling;
import java.util.List;

/** The vector of a text from those of its tokens, and the gradients of the tokens from that of the vector. <em>Immutable.</em> */
final class TextPooling {

    private final List<Pooling> poolings;
    private final int width;

    /** @param width of the vector of a token */
    TextPooling(List<Pooling> poolings, int width) {
        this.poolings = List.copyOf(poolings);
        this.width = width;
    }

    /**
     * A text in the tokens of a batch.
     *
     * @param at the index of the first value of its first token
     * @param from its first pooled token
     * @param count of its tokens
     */
    record Span(int at, int from, int count) {}

    /** The pooled vector, not normalized: (poolings · width). */
    double[] pool(float[] tokens, Span span) {
        double[] pooled = new double[poolings.size() * width];
        for (int p = 0; p < poolings.size(); p++) {
            for (int j = 0; j < width; j++) {
                if (poolings.get(p) == Pooling.MAX) {
                    pooled[p * width + j] = tokens[span.at + largest(tokens, span, j) * width + j];
                    continue;
                }
                for (int i = span.from; i < span.count; i++) {
                    double weight = weight(poolings.get(p), i, span);
                    pooled[p * width + j] += weight * tokens[span.at + i * width + j];
                }
            }
        }
        return pooled;
    }

    /** Writes the gradients of the tokens, which were 0. */
    void gradient(double[] pooled, float[] tokens, Span span, float[] into) {
        for (int p = 0; p < poolings.size(); p++) {
            for (int j = 0; j < width; j++) {
                if (poolings.get(p) == Pooling.MAX) {
                    into[span.at + largest(tokens, span, j) * width + j] += (float) pooled[p * width + j];
                    continue;
                }
                for (int i = span.from; i < span.count; i++) {
                    into[span.at + i * width + j] += (float) (weight(poolings.get(p), i, span) * pooled[p * width + j]);
                }
            }
        }
    }

    private int largest(float[] tokens, Span span, int component) {
        int best = span.from;
        for (int i = span.from + 1; i < span.count; i++) {
            if (tokens[span.at + i * width + component] > tokens[span.at + best * width + component]) {
                best = i;
            }
        }
        return best;
    }

    /** The weight of token {@code i} in a sum. */
    private static double weight(Pooling pooling, int i, Span span) {
        int pooled = span.count - span.from;
        return switch (pooling) {
            case CLS -> i == span.from ? 1 : 0;
            case LAST_TOKEN -> i == span.count - 1 ? 1 : 0;
            case MEAN -> 1.0 / pooled;
            case MEAN_SQRT_LENGTH -> 1 / Math.sqrt((double) pooled);
            case WEIGHTED_MEAN -> {
                double sum = (double) span.count * (span.count + 1) / 2 - (double) span.from * (span.from + 1) / 2;
                yield (i + 1) / sum;
            }
            case MAX -> 0;
        };
    }
}
