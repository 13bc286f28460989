package dev.pollux.twin;

import dev.pollux.generation.Generator;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether a model writes answers. Small models write fluently but unsupported text: of the 135-million-parameter embedded
 * model, hardly a sentence passes the check, after many seconds. With {@link TwinOptions.Style#AUTO} a model therefore
 * writes only if it has at least {@value #PARAMETERS} parameters. <em>Immutable.</em>
 *
 * @param writes whether the model writes
 * @param reason the reason, as a clause for people
 */
public record WritingAbility(boolean writes, String reason) {

    /** Minimum number of parameters of a model that writes with {@link TwinOptions.Style#AUTO}. */
    public static final long PARAMETERS = 1_000_000_000L;

    /**
     * Returns whether a model of the given size writes.
     *
     * @param parameters number of parameters of the model; empty if unknown
     */
    public static WritingAbility of(TwinOptions.Style style, OptionalLong parameters) {
        if (style == TwinOptions.Style.QUOTE) {
            return new WritingAbility(false, "only quotes were asked for");
        }
        if (style == TwinOptions.Style.WRITE) {
            return new WritingAbility(true, "the model was asked to write");
        }
        if (parameters.isEmpty()) {
            return new WritingAbility(
                    false, "it is not known how many parameters the model has, and writing needs 1 billion");
        }
        boolean able = parameters.getAsLong() >= PARAMETERS;
        return new WritingAbility(
                able, "the model has " + counted(parameters.getAsLong()) + " parameters, and writing needs 1 billion");
    }

    static WritingAbility of(TwinOptions.Style style, Optional<Generator> model) {
        return model.isEmpty()
                ? new WritingAbility(false, "there is no model")
                : of(style, model.get().info().parameters());
    }

    private static String counted(long parameters) {
        return parameters >= PARAMETERS
                ? String.format(Locale.ROOT, "%.1f billion", parameters / 1e9)
                : Math.round(parameters / 1e6) + " million";
    }
}
