package dev.pollux.internal;

/** The ranges of options. */
public final class OptionRange {

    private OptionRange() {}

    /**
     * Refuses a value that is out of its range.
     *
     * @param holds whether the value is in its range
     * @param name of the option, as its builder has it
     * @param rule the range, to complete "must be"
     * @param value the value
     * @throws IllegalArgumentException if {@code holds} is false
     */
    public static void require(boolean holds, String name, String rule, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " must be " + rule + " but was " + value);
        }
    }
}
