package dev.pollux.inference.quantize;

/** The limit under which {@link Sensitivity#choose} gives each matrix its bits. <em>Immutable.</em> */
public sealed interface PrecisionBudget {

    /**
     * The smallest loss in at most so many bytes of weights.
     *
     * @param most at least 1
     */
    record Bytes(long most) implements PrecisionBudget {

        public Bytes {
            if (most < 1) {
                throw new IllegalArgumentException("most must be at least 1 byte but was " + most);
            }
        }
    }

    /**
     * The fewest bytes with at most so much loss.
     *
     * @param most mean KL(original‖quantized) of a token in nats, above 0
     */
    record Divergence(double most) implements PrecisionBudget {

        public Divergence {
            if (!(most > 0) || Double.isInfinite(most)) {
                throw new IllegalArgumentException("most must be a finite number above 0 but was " + most);
            }
        }
    }
}
