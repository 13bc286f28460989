package dev.pollux.internal.foreign;

import dev.pollux.generation.Delta;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.ToolCall;
import java.util.List;
import java.util.OptionalInt;

/** A chat model of another framework, which pushes what it writes. */
@FunctionalInterface
public interface ForeignModel {

    /**
     * Starts a request. The calls of the receiver may come at once or later, from any thread.
     *
     * @throws IllegalArgumentException if the model cannot be given the prompt
     */
    void start(Prompt.Chat prompt, GenerationOptions options, Receiver to);

    /** Takes what a model writes; what comes after the end is ignored. <em>Thread-safe.</em> */
    interface Receiver {

        /** Takes a piece of text or reasoning. */
        void delta(Delta delta);

        /** Takes what ends the request early. */
        void cancellable(Runnable cancel);

        /** Ends the request. */
        void completed(End end);

        /** Ends the request with an error. */
        void failed(Throwable error);
    }

    /**
     * The end of a request.
     *
     * @param reasoning all of it, of models that do not stream it; may be empty
     * @param calls tool calls
     * @param cut whether the text ended at the limit of tokens
     * @param promptTokens as the model counts them; empty if it does not say
     * @param completionTokens as the model counts them; empty if it does not say
     */
    record End(
            String reasoning,
            List<ToolCall> calls,
            boolean cut,
            OptionalInt promptTokens,
            OptionalInt completionTokens) {

        public End {
            calls = List.copyOf(calls);
        }
    }
}
