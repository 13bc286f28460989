package dev.pollux.inference.encoder;

import dev.pollux.embedding.TextRole;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Encodes texts for the model: one token sequence, or several overlapping windows if a text is too long. */
final class TokenWindows {

    private final Tokenizer tokenizer;
    private final EncoderConfig config;
    private final boolean windowed;
    private final int overlap;
    private final int[] head; // special tokens before a text
    private final int[] tail; // special tokens after it

    /**
     * A text's tokens.
     *
     * @param tokens all of them, prefix and special tokens included
     * @param windows the sequences to run, each at most {@code maxTokens}; empty if the text is refused
     * @param weights the tokens of the text in each window
     * @param promptTokens the number of leading tokens in each window that belong to the prefix and the special tokens
     *     before it
     */
    record Input(int tokens, List<int[]> windows, List<Integer> weights, int promptTokens) {}

    TokenWindows(Tokenizer tokenizer, EncoderConfig config, EmbedderOptions options) {
        this.tokenizer = tokenizer;
        this.config = config;
        this.windowed = options.longText() == LongText.WINDOWED;
        this.overlap = options.windowOverlap();
        int[] content = tokenizer.encode("a", false);
        int[] full = tokenizer.encode("a", true);
        int begin = indexOf(content, full);
        this.head = Arrays.copyOfRange(full, 0, begin);
        this.tail = Arrays.copyOfRange(full, Math.min(full.length, begin + content.length), full.length);
        if (windowed) {
            checkRoom(TextRole.QUERY);
            checkRoom(TextRole.PASSAGE);
        }
    }

    private static int indexOf(int[] part, int[] whole) {
        for (int at = 0; at + part.length <= whole.length; at++) {
            if (Arrays.equals(part, 0, part.length, whole, at, at + part.length)) {
                return at;
            }
        }
        return 0;
    }

    private void checkRoom(TextRole role) {
        int room = room(tokenizer.encode(prefix(role), false));
        if (room <= overlap) {
            throw new IllegalArgumentException("windowOverlap must be less than the " + Math.max(0, room)
                    + " text tokens of a window of " + config.maxTokens() + " but was " + overlap
                    + "; choose a smaller overlap or a larger maxTokens");
        }
    }

    private int room(int[] prefix) {
        return config.maxTokens() - head.length - prefix.length - tail.length;
    }

    private String prefix(TextRole role) {
        return role == TextRole.QUERY ? config.queryPrefix() : config.passagePrefix();
    }

    /** The number of tokens of a text. */
    int count(String text, TextRole role) {
        return tokenizer.encode(prefix(role) + cased(text), true).length;
    }

    Input of(String text, TextRole role) {
        String prefix = prefix(role);
        int[] ids = tokenizer.encode(prefix + cased(text), true);
        if (ids.length == 0) {
            ids = new int[] {config.padToken()};
        }
        if (ids.length <= config.maxTokens()) {
            return new Input(ids.length, List.of(ids), List.of(1), promptTokens(prefix));
        }
        if (!windowed) {
            return new Input(ids.length, List.of(), List.of(), 0);
        }
        return windows(ids.length, text, prefix);
    }

    private Input windows(int tokens, String text, String prefix) {
        int[] before = tokenizer.encode(prefix, false);
        int[] content = tokenizer.encode(cased(text), false);
        int room = room(before);
        List<int[]> windows = new ArrayList<>();
        List<Integer> weights = new ArrayList<>();
        int from = 0;
        while (true) {
            int to = Math.min(content.length, from + room);
            windows.add(join(before, Arrays.copyOfRange(content, from, to)));
            weights.add(Math.max(1, to - from));
            if (to == content.length) {
                return new Input(tokens, windows, weights, prefix.isEmpty() ? 0 : head.length + before.length);
            }
            from = to - overlap;
        }
    }

    private int[] join(int[] prefix, int[] content) {
        int[] window = new int[head.length + prefix.length + content.length + tail.length];
        int at = 0;
        for (int[] part : List.of(head, prefix, content, tail)) {
            System.arraycopy(part, 0, window, at, part.length);
            at += part.length;
        }
        return window;
    }

    private int promptTokens(String prefix) {
        return prefix.isEmpty() || config.promptPooled() ? 0 : head.length + tokenizer.encode(prefix, false).length;
    }

    private String cased(String text) {
        return config.lowerCase() ? text.toLowerCase(Locale.ROOT) : text;
    }
}
