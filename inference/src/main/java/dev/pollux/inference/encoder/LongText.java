package dev.pollux.inference.encoder;

/** How a text with more tokens than the limit is handled. Texts are never truncated silently. */
public enum LongText {
    /** The call fails with an {@link IllegalArgumentException} that names the text, its tokens and the limit. */
    REFUSE,
    /**
     * The text is read in overlapping windows, each with the prefix and the special tokens. The vector is the mean of the
     * windows' vectors, weighted by the text tokens in each and normalized to length 1.
     */
    WINDOWED
}
