package dev.pollux.inference.template;

import dev.pollux.inference.template.ChatTemplate.Span;
import java.util.ArrayList;
import java.util.List;

/** Builds a string within a budget, with the origins of what it is built of. <em>Not thread-safe: one thread at a time.</em> */
final class TextBuilder {

    private final Budget budget;
    private final StringBuilder text = new StringBuilder();
    private final List<Span> inputs = new ArrayList<>();

    TextBuilder(Budget budget) {
        this.budget = budget;
    }

    TextBuilder append(String part) {
        return append(part, 0, part.length());
    }

    /** Characters {@code begin} to {@code end} of {@code whole}. */
    TextBuilder append(String whole, int begin, int end) {
        budget.allocate(end - begin);
        int marks = inputs.size();
        Origins.add(inputs, budget.origins().of(whole), begin, end, text.length());
        budget.marked(inputs.size() - marks);
        text.append(whole, begin, end);
        return this;
    }

    TextBuilder append(char part) {
        budget.allocate(1);
        text.append(part);
        return this;
    }

    /** {@code part} so many times; none for a negative count. */
    TextBuilder repeat(String part, long count) {
        if (count > 0) {
            budget.allocate(Math.multiplyHigh(count, part.length()) != 0 ? Long.MAX_VALUE : count * part.length());
            List<Span> spans = budget.origins().of(part);
            if (spans.equals(Origins.whole(part))) {
                int length = (int) count * part.length();
                Origins.add(inputs, List.of(new Span(0, length)), 0, length, text.length());
            } else {
                budget.marked(count * spans.size());
                for (int i = 0; i < count && !spans.isEmpty(); i++) {
                    Origins.add(inputs, spans, 0, part.length(), text.length() + i * part.length());
                }
            }
            text.append(part.repeat((int) count));
        }
        return this;
    }

    /** Says that all from {@code begin} on was made of {@code origin}. */
    void madeOf(String origin, int begin) {
        if (!budget.origins().of(origin).isEmpty()) {
            while (!inputs.isEmpty() && inputs.get(inputs.size() - 1).begin() >= begin) {
                inputs.remove(inputs.size() - 1);
            }
            Origins.add(inputs, List.of(new Span(0, text.length() - begin)), 0, text.length() - begin, begin);
        }
    }

    int length() {
        return text.length();
    }

    List<Span> inputs() {
        return inputs;
    }

    @Override
    public String toString() {
        return budget.origins().enter(text.toString(), List.copyOf(inputs));
    }
}
