package dev.pollux.inference.engine;

/** What happens to a prompt that does not fit the model's context. */
public enum ContextOverflow {

    /** The prompt is refused with an {@link IllegalArgumentException}. */
    REFUSE,

    /**
     * The oldest messages of a conversation are left out until the rest fits with its answer, or with a quarter of the context if
     * the answer may be longer. They are left out a quarter of that room at a time, so that the prompts of several turns begin alike and their
     * beginning is not computed again. Messages of the system and the last message stay; an answer of the model, and the results of its calls, go
     * with the message before them. {@link dev.pollux.generation.GenerationStream#dropped()} reports what was left out. A text, or
     * a conversation whose rest does not fit, is refused.
     */
    TRUNCATE_OLDEST
}
