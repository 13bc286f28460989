package dev.pollux.inference.encoder;

import dev.pollux.inference.tokenizer.Encoding;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Encodes a query and a text for a cross-encoder: one sequence, or several windows if the text is too long. */
final class PairWindows {

    private final Tokenizer tokenizer;
    private final EncoderConfig config;
    private final RerankerOptions options;

    PairWindows(Tokenizer tokenizer, EncoderConfig config, RerankerOptions options) {
        this.tokenizer = tokenizer;
        this.config = config;
        this.options = options;
    }

    /**
     * One sequence.
     *
     * @param ids (tokens)
     * @param types (tokens)
     */
    record Window(int[] ids, int[] types) {

        static Window of(Encoding encoding) {
            return new Window(encoding.ids(), encoding.typeIds());
        }
    }

    /**
     * A pair's sequences.
     *
     * @param tokens all tokens of the pair, special tokens included
     * @param windows none if the pair is too long and refused
     */
    record Pair(int tokens, List<Window> windows) {}

    Pair of(String query, String text) {
        String question = cased(query);
        String content = cased(text);
        Encoding whole = tokenizer.encodePair(question, content, true);
        if (whole.size() == 0) {
            return new Pair(0, List.of(new Window(new int[] {config.padToken()}, new int[1])));
        }
        if (whole.size() <= config.maxTokens()) {
            return new Pair(whole.size(), List.of(Window.of(whole)));
        }
        if (options.longText() == LongText.REFUSE) {
            return new Pair(whole.size(), List.of());
        }
        return new Pair(whole.size(), windows(question, content, whole.size()));
    }

    private List<Window> windows(String query, String text, int tokens) {
        Encoding content = tokenizer.encodeWithOffsets(text, false);
        int room = config.maxTokens() - (tokens - content.size());
        if (room <= options.windowOverlap()) {
            throw new IllegalArgumentException(
                    "The query must leave more than windowOverlap, " + options.windowOverlap()
                            + ", of " + config.maxTokens() + " tokens to a text but leaves " + Math.max(0, room)
                            + "; shorten it, or choose a smaller overlap or a larger maxTokens");
        }
        List<Window> windows = new ArrayList<>();
        int from = 0;
        while (true) {
            int to = Math.min(content.size(), from + room);
            Encoding window = encode(query, text, content, from, to);
            // A part may have more tokens on its own than within the whole text.
            while (window.size() > config.maxTokens() && to > from + 1) {
                to--;
                window = encode(query, text, content, from, to);
            }
            if (window.size() > config.maxTokens()) {
                throw new IllegalArgumentException("A text must fit into windows of " + config.maxTokens()
                        + " tokens but one of its tokens does not fit after the query; choose a larger maxTokens");
            }
            windows.add(Window.of(window));
            if (to == content.size()) {
                return windows;
            }
            from = Math.max(from + 1, to - options.windowOverlap());
        }
    }

    private Encoding encode(String query, String text, Encoding content, int from, int to) {
        int begin = text.offsetByCodePoints(0, content.starts()[from]);
        int end = text.offsetByCodePoints(begin, content.ends()[to - 1] - content.starts()[from]);
        return tokenizer.encodePair(query, text.substring(begin, end), true);
    }

    private String cased(String text) {
        return config.lowerCase() ? text.toLowerCase(Locale.ROOT) : text;
    }
}
