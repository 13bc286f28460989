package dev.pollux.inference.engine;

import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a model tells its reasoning from its answer: the markers it writes, as its chat template or its vocabulary announces
 * them, whatever the model is called. <em>Immutable.</em>
 *
 * <table>
 * <caption>What is known</caption>
 * <tr><th>form</th><th>announced by</th></tr>
 * <tr><td>a pair around the reasoning, then perhaps a pair around the answer</td><td>one of the pair in the template, or
 *     both in the vocabulary</td></tr>
 * <tr><td>a pair whose reasoning begins with its name on a line: {@code <|channel>thought}</td><td>likewise</td></tr>
 * <tr><td>harmony: {@code <|start|>role<|channel|>name<|message|>text<|end|>}; the channel {@code final} is the
 *     answer</td><td>{@code <|channel|>} and {@code <|message|>}</td></tr>
 * <tr><td>{@code <|think|>text<|end|><|begin|>role<|content|>text}</td><td>{@code <|think|>} and {@code
 *     <|content|>}</td></tr>
 * <tr><td>reasoning first, {@code [BEGIN FINAL RESPONSE]} before the answer</td><td>that in the template</td></tr>
 * </table>
 */
final class ChannelFormat {

    /** What a marker begins. */
    enum Effect {
        REASONING,
        /** Reasoning whose first line is its name. */
        NAMED_REASONING,
        ANSWER,
        /** An answer between tags of its own, which are not text. */
        TAGGED_ANSWER,
        /** The end of such an answer. */
        AFTER_ANSWER,
        /** The header of a message, up to {@link #BODY}. */
        HEADER,
        /** The text of a message, in the channel that its header names. */
        BODY,
        /** What stands between two messages, which is no text. */
        BETWEEN,
        /** A part of a header. */
        NOTHING
    }

    /**
     * A marker.
     *
     * @param token its id, where it is one token
     */
    record Marker(String spelling, Effect effect, Optional<Integer> token) {}

    private static final List<List<String>> PAIRS = List.of(
            List.of("<think>", "</think>"),
            List.of("<thinking>", "</thinking>"),
            List.of("<thought>", "</thought>"),
            List.of("<reasoning>", "</reasoning>"),
            List.of("<seed:think>", "</seed:think>"),
            List.of("[THINK]", "[/THINK]"),
            List.of("Here is my thought process:", "Here is my response:"),
            List.of("\u25C1think\u25B7", "\u25C1/think\u25B7"),
            List.of("<|START_THINKING|>", "<|END_THINKING|>"),
            List.of("<|inner_prefix|>", "<|inner_suffix|>"),
            List.of("<|begin_of_thought|>", "<|end_of_thought|>"));

    private static final List<List<String>> NAMED_PAIRS =
            List.of(List.of("<|channel>", "<channel|>"), List.of("<unused94>", "<unused95>"));

    private static final List<List<String>> ANSWER_PAIRS = List.of(
            List.of("<answer>", "</answer>"),
            List.of("<response>", "</response>"),
            List.of("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
            List.of("<|START_TEXT|>", "<|END_TEXT|>"),
            List.of("<|begin_of_solution|>", "<|end_of_solution|>"));

    private final String template;
    private final Tokenizer tokenizer;
    private final List<Marker> markers = new ArrayList<>();
    private final Map<Integer, Marker> byToken = new HashMap<>();

    private ChannelFormat(String template, Tokenizer tokenizer) {
        this.template = template;
        this.tokenizer = tokenizer;
        PAIRS.forEach(pair -> pair(pair, Effect.REASONING, Effect.ANSWER));
        NAMED_PAIRS.forEach(pair -> pair(pair, Effect.NAMED_REASONING, Effect.ANSWER));
        if (announced("<|channel|>") && announced("<|message|>")) {
            add("<|start|>", Effect.HEADER);
            add("<|channel|>", Effect.HEADER);
            add("<|constrain|>", Effect.NOTHING);
            add("<|message|>", Effect.BODY);
            add("<|end|>", Effect.BETWEEN);
            add("<|call|>", Effect.BETWEEN);
            add("<|return|>", Effect.BETWEEN);
        } else if (announced("<|think|>") && announced("<|content|>")) {
            add("<|begin|>", Effect.HEADER);
            add("<|think|>", Effect.REASONING);
            add("<|content|>", Effect.ANSWER);
            add("<|end|>", Effect.BETWEEN);
        }
        if (template.contains("[BEGIN FINAL RESPONSE]")) {
            add("Here are my reasoning steps:", Effect.REASONING);
            add("[BEGIN FINAL RESPONSE]", Effect.TAGGED_ANSWER);
            add("[END FINAL RESPONSE]", Effect.AFTER_ANSWER);
        }
        if (!markers.isEmpty()) {
            ANSWER_PAIRS.forEach(pair -> pair(pair, Effect.TAGGED_ANSWER, Effect.AFTER_ANSWER));
        }
    }

    /** @param template the source of the chat template; empty where there is none */
    static ChannelFormat of(String template, Tokenizer tokenizer) {
        return new ChannelFormat(template, tokenizer);
    }

    private boolean announced(String spelling) {
        return template.contains(spelling) || tokenizer.idOf(spelling).isPresent();
    }

    private void pair(List<String> pair, Effect open, Effect close) {
        boolean written = pair.stream().anyMatch(template::contains);
        if (written
                || pair.stream().allMatch(spelling -> tokenizer.idOf(spelling).isPresent())) {
            add(pair.get(0), open);
            add(pair.get(1), close);
        }
    }

    private void add(String spelling, Effect effect) {
        var id = tokenizer.idOf(spelling);
        Marker marker = new Marker(spelling, effect, id.isPresent() ? Optional.of(id.getAsInt()) : Optional.empty());
        markers.add(marker);
        marker.token().ifPresent(token -> byToken.put(token, marker));
    }

    List<Marker> markers() {
        return markers;
    }

    /** The marker that a token is, if it is one. */
    Optional<Marker> marker(int token) {
        return Optional.ofNullable(byToken.get(token));
    }

    /**
     * A parser of what a model writes after a prompt.
     *
     * @param prompt the end of the prompt, from where no part of it is a user's
     * @param chat whether a chat template wrote it; in a raw prompt a tag counts only where nothing follows it
     */
    ChannelParser after(String prompt, boolean chat) {
        ChannelParser parser = new ChannelParser(this);
        if (!markers.isEmpty()) {
            parser.skip(prompt, chat);
        }
        return parser;
    }
}
