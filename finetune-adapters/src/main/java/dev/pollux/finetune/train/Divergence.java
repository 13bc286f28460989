package dev.pollux.finetune.train;

/** The divergence from the reference whose derivative scores a log-ratio s (f-DPO, Wang et al., arXiv:2309.16240). */
public enum Divergence {
    /** s. */
    REVERSE_KL {
        @Override
        double score(double s, double alpha) {
            return s;
        }

        @Override
        double slope(double s, double alpha) {
            return 1;
        }
    },
    /** 1 − e^−s. */
    FORWARD_KL {
        @Override
        double score(double s, double alpha) {
            return 1 - Math.exp(-s);
        }

        @Override
        double slope(double s, double alpha) {
            return Math.exp(-s);
        }
    },
    /** ln 2 + log σ(s). */
    JS_DIVERGENCE {
        @Override
        double score(double s, double alpha) {
            return Math.log(2) + Sigmoid.log(s);
        }

        @Override
        double slope(double s, double alpha) {
            return Sigmoid.of(-s);
        }
    },
    /** (e^((α − 1) s) − 1) / (α − 1), the exponent at most 80; s for α = 1. */
    ALPHA_DIVERGENCE {
        @Override
        double score(double s, double alpha) {
            return isLimit(alpha) ? s : Math.expm1(Math.min(LARGEST, (alpha - 1) * s)) / (alpha - 1);
        }

        @Override
        double slope(double s, double alpha) {
            double exponent = (alpha - 1) * s;
            return isLimit(alpha) ? 1 : exponent > LARGEST ? 0 : Math.exp(exponent);
        }
    };

    private static final double LARGEST = 80;

    private static boolean isLimit(double alpha) {
        return Math.abs(alpha - 1) < 1e-6;
    }

    abstract double score(double s, double alpha);

    /** The derivative of {@link #score} by s. */
    abstract double slope(double s, double alpha);
}
