package dev.pollux.generation;

/** Why a generation ended. */
public enum FinishReason {
    /** The model produced one of its end tokens. */
    END_OF_TEXT,
    /** A stop string was produced; it is not part of the text. */
    STOP_STRING,
    /** {@link GenerationOptions#maxTokens()} were produced. */
    MAX_TOKENS,
    /** The model's context is full. */
    CONTEXT_FULL,
    /** {@link GenerationStream#cancel()} was called. */
    CANCELLED
}
