package dev.pollux.finetune.internal.training;

/**
 * The gradients of L that a backward pass begins with, each (targets). <em>Immutable.</em>
 *
 * @param logProbabilities dL/dlog p of each predicted token
 * @param divergences dL/dD of the divergence of each predicted token from the teacher; 0 without one
 */
public record TokenSeeds(float[] logProbabilities, float[] divergences) {

    /** Without a teacher. */
    public static TokenSeeds of(float[] logProbabilities) {
        return new TokenSeeds(logProbabilities, new float[logProbabilities.length]);
    }
}
