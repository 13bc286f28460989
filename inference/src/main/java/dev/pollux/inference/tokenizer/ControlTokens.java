package dev.pollux.inference.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The control tokens among the added tokens of a tokenizer, and their occurrences in text. <em>Immutable.</em>
 *
 * <p>An added token is a control token if it is marked as special, if it is spelled {@code <|...|>}, if the chat template
 * writes it and it is not a plain word ({@code <tool_call>}, {@code [TOOL_CALLS]}), or if the caller names it. All others are
 * vocabulary that users may write, such as the domain words of a fine-tune, runs of spaces, or HTML tags. A token of one
 * character or of whitespace alone is never a control token, whatever its mark.
 */
final class ControlTokens {

    /** An occurrence of a control token. */
    record Match(int begin, int end, Tokenizer.AddedToken token) {}

    private static final Pattern BARRED = Pattern.compile("<[|\uFF5C].+[|\uFF5C]>", Pattern.DOTALL);

    private final Map<String, Tokenizer.AddedToken> bySpelling = new HashMap<>();
    private final Map<Character, Set<Integer>> lengths = new HashMap<>(); // by first character, in descending order
    private final Set<Integer> ids = new HashSet<>();

    /**
     * @param template the source of the chat template; empty if there is none
     * @param more spellings of further control tokens, whether the template writes them or not
     */
    ControlTokens(List<Tokenizer.AddedToken> added, String template, Collection<String> more) {
        for (Tokenizer.AddedToken token : added) {
            String spelling = token.content();
            if (isControl(token, template) || more.contains(spelling)) {
                bySpelling.put(spelling, token);
                ids.add(token.id());
                lengths.computeIfAbsent(spelling.charAt(0), first -> new TreeSet<>(Comparator.reverseOrder()))
                        .add(spelling.length());
            }
        }
    }

    private static boolean isControl(Tokenizer.AddedToken token, String template) {
        String spelling = token.content();
        if (spelling.isBlank() || spelling.codePointCount(0, spelling.length()) == 1) {
            return false;
        }
        boolean word = spelling.codePoints().allMatch(c -> Character.isLetterOrDigit(c) || Character.isWhitespace(c));
        return token.special() || BARRED.matcher(spelling).matches() || !word && template.contains(spelling);
    }

    boolean isEmpty() {
        return bySpelling.isEmpty();
    }

    boolean isSpelling(String text) {
        return bySpelling.containsKey(text);
    }

    /** The occurrences of control tokens without a literal character, in order; of two at one position, the longer one. */
    List<Match> in(String text, BitSet literal) {
        List<Match> found = new ArrayList<>();
        for (int at = literal.nextClearBit(0); at < text.length(); ) {
            int end = literal.nextSetBit(at);
            int limit = end < 0 ? text.length() : Math.min(end, text.length());
            while (at < limit) {
                Tokenizer.AddedToken token = at(text, at, limit);
                if (token == null) {
                    at++;
                } else {
                    found.add(new Match(at, at + token.content().length(), token));
                    at += token.content().length();
                }
            }
            at = literal.nextClearBit(limit);
        }
        return found;
    }

    private Tokenizer.@Nullable AddedToken at(String text, int at, int limit) {
        for (int length : lengths.getOrDefault(text.charAt(at), Set.of())) {
            if (length <= limit - at) {
                Tokenizer.AddedToken token = bySpelling.get(text.substring(at, at + length));
                if (token != null) {
                    return token;
                }
            }
        }
        return null;
    }

    /** Whether the control tokens among {@code tokens} equal those of {@code expected}, in order. */
    boolean areThose(List<Match> expected, int[] tokens) {
        int next = 0;
        for (int token : tokens) {
            if (ids.contains(token)) {
                if (next == expected.size() || expected.get(next).token().id() != token) {
                    return false;
                }
                next++;
            }
        }
        return next == expected.size();
    }
}
