package dev.pollux.inference.encoder;

/** What becomes of a text with more tokens than the model reads; nothing is ever cut off silently. */
public enum LongText {
    /** The call fails with an {@link IllegalArgumentException} that names the text, its tokens and the limit. */
    REFUSE,
    /**
     * The text is read in overlapping windows, each with the prefix and the special tokens around it. The vector is the
     * mean of the windows' vectors, weighted by the text tokens in each, brought to length 1 again.
     */
    WINDOWED
}
