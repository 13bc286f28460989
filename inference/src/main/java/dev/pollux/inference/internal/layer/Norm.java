package dev.pollux.inference.internal.layer;

/**
 * A normalization over the last axis.
 *
 * @param kind the kind of normalization
 * @param epsilon added to the mean square, or to the variance
 * @param offset added to the stored weight: 1 if a family stores w and applies 1 + w
 */
public record Norm(Kind kind, double epsilon, double offset) {

    public enum Kind {
        /** Divided by the root mean square (Zhang and Sennrich, arXiv:1910.07467). */
        RMS,
        /** Centred, divided by the standard deviation; with a bias where one is stored (Ba et al., arXiv:1607.06450). */
        LAYER
    }

    public static Norm rms(double epsilon) {
        return new Norm(Kind.RMS, epsilon, 0);
    }

    public static Norm layer(double epsilon) {
        return new Norm(Kind.LAYER, epsilon, 0);
    }

    public Norm withOffset(double newOffset) {
        return new Norm(kind, epsilon, newOffset);
    }
}
