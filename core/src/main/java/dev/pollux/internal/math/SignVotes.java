package dev.pollux.internal.math;

/**
 * Sums of the differences D that were added to a task vector, and of their weights w by the sign of the difference. Arrays of
 * the same length; a kernel changes them. <em>Not thread-safe.</em>
 *
 * @param sum Σ D
 * @param size Σ |D|
 * @param weightSum Σ w·sign(D)
 * @param weightSize Σ w·|sign(D)|
 */
public record SignVotes(float[] sum, float[] size, float[] weightSum, float[] weightSize) {}
