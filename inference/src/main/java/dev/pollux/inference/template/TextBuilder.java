package dev.pollux.inference.template;

/** Builds a string within a budget. <em>Not thread-safe: one thread at a time.</em> */
final class TextBuilder {

    private final Budget budget;
    private final StringBuilder text = new StringBuilder();

    TextBuilder(Budget budget) {
        this.budget = budget;
    }

    TextBuilder append(String part) {
        budget.allocate(part.length());
        text.append(part);
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
            text.append(part.repeat((int) count));
        }
        return this;
    }

    int length() {
        return text.length();
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
