package dev.pollux.inference.engine;

import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The markers by which a model separates its reasoning from its answer. They are derived from the chat template or the
 * vocabulary, never from the model's name. <em>Immutable.</em>
 *
 * <table>
 * <caption>Known formats</caption>
 * <tr><th>form</th><th>announced by</th></tr>
 * <tr><td>a pair of tags around the reasoning, optionally followed by a pair around the answer</td><td>one tag of the pair in
 * the template, or both in the vocabulary</td></tr>
 * <tr><td>a pair of tags whose reasoning starts with a line that names it: {@code <|channel>thought}</td><td>likewise</td></tr>
 * <tr><td>harmony: {@code <|start|>role<|channel|>name<|message|>text<|end|>}; the channel {@code final} is the
 *     answer</td><td>{@code <|channel|>} and {@code <|message|>}</td></tr>
 * <tr><td>{@code <|think|>text<|end|><|begin|>role<|content|>text}</td><td>{@code <|think|>} and {@code
 *     <|content|>}</td></tr>
 * <tr><td>reasoning first, then {@code [BEGIN FINAL RESPONSE]}, then the answer</td><td>this text in the template</td></tr>
 * </table>
 */
final class ChannelFormat {

    /** The section that starts after a marker. */
    enum Effect {
        REASONING,
        /** Reasoning whose first line is the name of the section. */
        NAMED_REASONING,
        ANSWER,
        /** An answer between tags of its own; the tags are not part of the text. */
        TAGGED_ANSWER,
        /** The end of a tagged answer. */
        AFTER_ANSWER,
        /** The header of a message, up to {@link #BODY}. */
        HEADER,
        /** The text of a message, in the channel that its header names. */
        BODY,
        /** The gap between two messages, which is not part of the text. */
        BETWEEN,
        /** A part of a header. */
        NOTHING
    }

    /**
     * A marker.
     *
     * @param token the id of the marker if it is a single token
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

    /** @param template the source of the chat template; empty if there is none */
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

    /** The marker with this token id, if there is one. */
    Optional<Marker> marker(int token) {
        return Optional.ofNullable(byToken.get(token));
    }

    /**
     * Creates a parser for the text that a model generates after a prompt.
     *
     * @param prompt the end of the prompt, after the last character that a user wrote
     * @param chat whether a chat template rendered the prompt; in a raw prompt a tag counts only at the very end
     */
    ChannelParser after(String prompt, boolean chat) {
        ChannelParser parser = new ChannelParser(this);
        if (!markers.isEmpty()) {
            parser.skip(prompt, chat);
        }
        return parser;
    }
}
