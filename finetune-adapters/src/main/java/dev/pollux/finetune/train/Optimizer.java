package dev.pollux.finetune.train;

/**
 * A rule that changes parameters by their gradients. Rates come from the {@link LearningRateSchedule}; biases are spared by
 * weight decay. <em>Immutable.</em>
 */
public sealed interface Optimizer {

    /** AdamW as {@code torch.optim.AdamW} has it, without weight decay: the default of Hugging Face's trainers. */
    static Optimizer adamW() {
        return adamW(0);
    }

    /** AdamW with a weight decay. */
    static Optimizer adamW(double weightDecay) {
        return new AdamW(0.9, 0.999, 1e-8, weightDecay, true, false);
    }

    /** Lion with the values of its paper. */
    static Optimizer lion() {
        return new Lion(0.9, 0.99, 0);
    }

    /** Plain stochastic gradient descent. */
    static Optimizer sgd() {
        return new Sgd(0, 0, 0, false);
    }

    /** Adafactor as {@code transformers.optimization.Adafactor} has it, with given rates. */
    static Optimizer adafactor() {
        return new Adafactor(1e-30, 1e-3, 1, -0.8, 0, 0, false, false, false);
    }

    /** The factor of decay of values, in [0, ∞). */
    double weightDecay();

    /** The same rule with another weight decay. */
    Optimizer withWeightDecay(double weightDecay);

    /**
     * Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).
     *
     * <pre>
     * m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) g²
     * θ = θ (1 − lr·λ) − lr · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε)
     * </pre>
     *
     * @param beta1 in [0, 1)
     * @param beta2 in [0, 1)
     * @param epsilon above 0
     * @param weightDecay λ, in [0, ∞)
     * @param decoupled if false, λθ is added to the gradient instead, as in Adam
     * @param largest whether the largest v so far is used (AMSGrad)
     */
    record AdamW(double beta1, double beta2, double epsilon, double weightDecay, boolean decoupled, boolean largest)
            implements Optimizer {
        public AdamW {
            check("beta1", beta1);
            check("beta2", beta2);
            checkDecay(weightDecay);
        }

        @Override
        public Optimizer withWeightDecay(double decay) {
            return new AdamW(beta1, beta2, epsilon, decay, decoupled, largest);
        }
    }

    /**
     * Lion (Chen et al., arXiv:2302.06675, algorithm 2): θ = θ (1 − lr·λ) − lr · sign(β₁ m + (1 − β₁) g), then m = β₂ m + (1 −
     * β₂) g.
     *
     * @param beta1 in [0, 1)
     * @param beta2 in [0, 1)
     * @param weightDecay λ, in [0, ∞)
     */
    record Lion(double beta1, double beta2, double weightDecay) implements Optimizer {
        public Lion {
            check("beta1", beta1);
            check("beta2", beta2);
            checkDecay(weightDecay);
        }

        @Override
        public Optimizer withWeightDecay(double decay) {
            return new Lion(beta1, beta2, decay);
        }
    }

    /**
     * Stochastic gradient descent as {@code torch.optim.SGD} has it: g = g + λθ, m = μ m + (1 − d) g with m = g in the first
     * step, θ = θ − lr · m, with Nesterov's momentum θ − lr · (g + μ m).
     *
     * @param momentum μ, in [0, 1)
     * @param dampening d, in [0, 1)
     * @param weightDecay λ, in [0, ∞)
     * @param nesterov whether the step looks ahead
     */
    record Sgd(double momentum, double dampening, double weightDecay, boolean nesterov) implements Optimizer {
        public Sgd {
            check("momentum", momentum);
            check("dampening", dampening);
            checkDecay(weightDecay);
        }

        @Override
        public Optimizer withWeightDecay(double decay) {
            return new Sgd(momentum, dampening, decay, nesterov);
        }
    }

    /**
     * Adafactor (Shazeer and Stern, arXiv:1804.04235), as {@code transformers.optimization.Adafactor} has it: second moments of
     * matrices are kept as those of rows and columns.
     *
     * @param epsilon added to squared gradients, above 0
     * @param leastScale the smallest scale of a parameter, above 0
     * @param clip the largest root mean square of an update, above 0
     * @param decay of the second moments: β₂ = 1 − t^decay, below 0
     * @param beta1 of the mean of updates; 0 for none
     * @param weightDecay λ, in [0, ∞)
     * @param scaled whether the rate is multiplied by the root mean square of the parameter
     * @param relative whether the rate is min(10⁻², 1/√t) in place of the schedule's
     * @param warmUp whether a relative rate begins with 10⁻⁶ t
     */
    record Adafactor(
            double epsilon,
            double leastScale,
            double clip,
            double decay,
            double beta1,
            double weightDecay,
            boolean scaled,
            boolean relative,
            boolean warmUp)
            implements Optimizer {
        public Adafactor {
            check("beta1", beta1);
            checkDecay(weightDecay);
        }

        @Override
        public Optimizer withWeightDecay(double newDecay) {
            return new Adafactor(epsilon, leastScale, clip, decay, beta1, newDecay, scaled, relative, warmUp);
        }
    }

    /**
     * Adafactor as {@code torch.optim.Adafactor} has it: the rate is min(lr, 1/√t) times the root mean square of the parameter.
     *
     * @param decay of the second moments: 1 − β₂ = t^decay, below 0
     * @param leastScale the smallest scale of a parameter, above 0
     * @param clip the largest root mean square of an update, above 0
     * @param weightDecay λ, in [0, ∞)
     */
    record ScaledAdafactor(double decay, double leastScale, double clip, double weightDecay) implements Optimizer {
        public ScaledAdafactor {
            checkDecay(weightDecay);
        }

        @Override
        public Optimizer withWeightDecay(double newDecay) {
            return new ScaledAdafactor(decay, leastScale, clip, newDecay);
        }
    }

    private static void check(String name, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(name + " must be in [0, 1) but was " + value);
        }
    }

    private static void checkDecay(double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException("weightDecay must be in [0, ∞) but was " + value);
        }
    }
}
