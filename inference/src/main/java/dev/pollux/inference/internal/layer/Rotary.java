package dev.pollux.inference.internal.layer;

/**
 * Rotary tables in a graph (Su et al., arXiv:2104.09864).
 *
 * @param cos name of the cosines, (positions, width / 2)
 * @param sin name of the sines, likewise
 * @param width how much of a head's beginning is rotated
 * @param interleaved whether neighbours are a pair, else i and i + width / 2
 * @param positions name of the row of each token, (1, S), where it is not its position; else empty
 */
public record Rotary(String cos, String sin, int width, boolean interleaved, String positions) {}
