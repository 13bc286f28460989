package dev.pollux.inference.template;

import dev.pollux.inference.template.ChatTemplate.Span;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Which characters of the strings of one rendering come from its input: from messages, tools, documents and variables, and not
 * from the template. <em>Not thread-safe: one thread at a time.</em>
 *
 * <p>Values of a template are plain strings, so a string's marks are kept by its identity. Every string of the input is
 * entered as an object of its own. An operation that makes a string of others enters the result: with {@link TextBuilder},
 * which copies the marks of what is appended, with {@link #part}, or with {@link #changed}. A string that was never entered is
 * the template's own.
 */
final class Origins {

    private static final List<Span> ONE = List.of(new Span(0, 1)); // shared by the many strings of one character

    private final IdentityHashMap<String, List<Span>> inputs = new IdentityHashMap<>();

    /** What of {@code text} comes from the input: ranges in order that do not touch. */
    List<Span> of(String text) {
        return inputs.isEmpty() ? List.of() : inputs.getOrDefault(text, List.of());
    }

    /** {@code text} as a string of the input. */
    String input(String text) {
        return text.isEmpty() ? text : enter(copy(text), whole(text));
    }

    /** Enters a string that is not yet in use. */
    String enter(String fresh, List<Span> spans) {
        if (!spans.isEmpty()) {
            inputs.put(fresh, spans);
        }
        return fresh;
    }

    /** {@code text.substring(begin, end)}. */
    String part(String text, int begin, int end) {
        List<Span> spans = of(text);
        String part = text.substring(begin, end);
        if (spans.isEmpty() || part.length() == text.length()) {
            return part;
        }
        List<Span> kept = new ArrayList<>();
        add(kept, spans, begin, end, 0);
        return kept.isEmpty() ? part : enter(copy(part), part.length() == 1 ? ONE : List.copyOf(kept));
    }

    /** What a function made of {@code text}: where it is of another length, all of it counts as input if any of {@code text} is. */
    String changed(String text, String result) {
        List<Span> spans = of(text);
        if (spans.isEmpty() || result.isEmpty() || same(text, result)) {
            return result;
        }
        return enter(copy(result), result.length() == text.length() ? spans : whole(result));
    }

    /** Adds to {@code target} what of {@code spans} lies in [begin, end), {@code begin} moved to {@code at}. */
    static void add(List<Span> target, List<Span> spans, int begin, int end, int at) {
        for (Span span : spans) {
            int from = Math.max(begin, span.begin()) - begin + at;
            int to = Math.min(end, span.end()) - begin + at;
            if (from >= to) {
                continue;
            }
            int last = target.size() - 1;
            if (last >= 0 && target.get(last).end() == from) {
                target.set(last, new Span(target.get(last).begin(), to));
            } else {
                target.add(new Span(from, to));
            }
        }
    }

    static List<Span> whole(String text) {
        return text.length() == 1 ? ONE : List.of(new Span(0, text.length()));
    }

    /** Marks go with the object, and one that came from elsewhere may be in use there. */
    @SuppressWarnings("StringOperationCanBeSimplified")
    private static String copy(String text) {
        return new String(text);
    }

    @SuppressWarnings("ReferenceEquality") // marks are kept by identity
    private static boolean same(String a, String b) {
        return a == b;
    }
}
