package dev.pollux.inference.encoder;

/**
 * Counts of an {@link OnnxEmbedder} since it was opened. <em>Immutable.</em>
 *
 * @param texts texts of successful calls
 * @param duplicates texts that were equal to an earlier text of the same call and reused its vector
 * @param tokens tokens read, special tokens and window overlaps included
 * @param windowedTexts texts above the token limit that were read in windows
 * @param windows windows of these texts
 * @param refusedTexts texts refused for their length
 */
public record EmbedderStats(
        long texts, long duplicates, long tokens, long windowedTexts, long windows, long refusedTexts) {}
