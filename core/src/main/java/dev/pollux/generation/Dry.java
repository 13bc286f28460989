package dev.pollux.generation;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;

/**
 * The penalty on continuing a repeated sequence ("don't repeat yourself"), as llama.cpp computes it: if the text ends with a
 * sequence of n tokens that it has contained before, then the logit of the token that followed it there is reduced by
 * {@code multiplier · base^(n - allowedLength)} for n of at least {@code allowedLength}. <em>Immutable.</em>
 *
 * @param multiplier the penalty of a sequence of the allowed length, in (0, 100]; often 0.8
 * @param base the factor of each further token, in [1, 100]; often 1.75
 * @param allowedLength the shortest sequence that is penalized, in tokens, at least 1; often 2
 * @param range how many of the last tokens are searched, at least 1
 * @param breakers a token whose text contains one of these ends a sequence, so that what names and lists have in common is not
 *     penalized
 */
public record Dry(double multiplier, double base, int allowedLength, int range, List<String> breakers) {

    /** Multiplier 0.8, base 1.75, allowed length 2, the whole text; line breaks, colons, quotes and asterisks break. */
    public static final Dry DEFAULTS = new Dry(0.8, 1.75, 2, Integer.MAX_VALUE, List.of("\n", ":", "\"", "*"));

    /** @throws IllegalArgumentException if a value is out of its range */
    public Dry {
        breakers = List.copyOf(breakers);
        require(multiplier > 0 && multiplier <= 100, "multiplier", "in (0, 100]", multiplier);
        require(base >= 1 && base <= 100, "base", "in [1, 100]", base);
        require(allowedLength >= 1, "allowedLength", "at least 1", allowedLength);
        require(range >= 1, "range", "at least 1", range);
        require(breakers.stream().noneMatch(String::isEmpty), "breakers", "free of empty strings", breakers);
    }
}
