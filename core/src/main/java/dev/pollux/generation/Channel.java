package dev.pollux.generation;

/** What a part of a generation is for. */
public enum Channel {
    /** What the model writes for itself before it answers: its reasoning, and messages that are not for the reader. */
    REASONING,
    /** What is for the reader. */
    ANSWER
}
