package dev.pollux.inference.encoder;

/**
 * What an {@link OnnxEmbedder} has done since it was opened. <em>Immutable.</em>
 *
 * @param texts texts asked for in calls that succeeded
 * @param duplicates those of them that another text of the same call had answered already
 * @param tokens tokens read, special tokens and window overlaps included
 * @param windowedTexts texts longer than the model reads that were read in windows
 * @param windows windows of these texts
 * @param refusedTexts texts refused for their length
 */
public record EmbedderStats(
        long texts, long duplicates, long tokens, long windowedTexts, long windows, long refusedTexts) {}
