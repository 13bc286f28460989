package dev.pollux.twin;

import dev.pollux.generation.Generator;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether a model writes answers. A small model writes fluently and says what no document says: of what the 135 million parameters
 * of the embedded model write hardly a sentence passes the check, after many seconds. So with {@link TwinOptions.Style#AUTO} a
 * model writes from {@value #PARAMETERS} parameters on. <em>Immutable.</em>
 *
 * @param writes whether it does
 * @param reason why, as a clause for people
 */
public record WritingAbility(boolean writes, String reason) {

    /** The least parameters of a model that writes without being told to. */
    public static final long PARAMETERS = 1_000_000_000L;

    /**
     * Whether a model of that size writes.
     *
     * @param parameters of the model; empty where they are not known
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
