package dev.pollux.generation;

import dev.pollux.internal.text.ShortText;
import java.util.List;

/**
 * A finished generation. <em>Immutable.</em>
 *
 * <p>Where a model thinks before it answers, as its chat template and vocabulary announce ({@code <think>}, channels), the two
 * are apart: {@code text} is the answer alone. A generation that ended before the answer began has an empty {@code text}.
 *
 * @param text the answer, without end token and stop string; all that was produced where the model does not reason
 * @param reasoning what the model wrote before the answer, without the markers around it; empty where it does not reason
 * @param tokens the ids produced, those of the reasoning and an end token included
 * @param finish why it ended
 * @param usage counts and times
 * @param calls the tools that the model calls, in order, whole ones only; empty where it calls none, and where the
 *     generator does not read calls, which are part of the text then
 * @param logProbabilities one for each token, if {@link GenerationOptions#logProbabilities()} asked for them; else empty
 */
public record Generation(
        String text,
        String reasoning,
        List<Integer> tokens,
        FinishReason finish,
        Usage usage,
        List<ToolCall> calls,
        List<TokenLogProbability> logProbabilities) {

    public Generation {
        tokens = List.copyOf(tokens);
        calls = List.copyOf(calls);
        logProbabilities = List.copyOf(logProbabilities);
    }

    /** A generation without log-probabilities. */
    public Generation(
            String text,
            String reasoning,
            List<Integer> tokens,
            FinishReason finish,
            Usage usage,
            List<ToolCall> calls) {
        this(text, reasoning, tokens, finish, usage, calls, List.of());
    }

    /** A generation without tool calls. */
    public Generation(String text, String reasoning, List<Integer> tokens, FinishReason finish, Usage usage) {
        this(text, reasoning, tokens, finish, usage, List.of());
    }

    /** The beginning of the text, why it ended and the number of tokens, on one line. */
    @Override
    public String toString() {
        return "Generation[" + ShortText.of(text) + ", " + finish + ", " + ShortText.count(tokens.size(), "token")
                + "]";
    }

    /** A generation without reasoning. */
    public Generation(String text, List<Integer> tokens, FinishReason finish, Usage usage) {
        this(text, "", tokens, finish, usage);
    }
}
