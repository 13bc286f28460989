package dev.pollux.embedding;

/** What a text is embedded as; models that want different prefixes for the two tell them apart. */
public enum TextRole {
    /** A question or search. */
    QUERY,
    /** A text to be found. */
    PASSAGE
}
