package dev.pollux.merging;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Selects the tokenizer of the merged model and the source of each token's embedding. <em>Immutable.</em>
 *
 * @param source {@code "base"}, {@code "union"}, or a model
 * @param tokens rules for single tokens; tokens that no model has are added in the iteration order of this map, so use a map
 *     with a fixed order, such as {@link LinkedHashMap}
 * @param padToMultipleOf if present, the number of embedding rows is rounded up to a multiple of it
 */
public record TokenizerChoice(String source, Map<String, TokenRule> tokens, OptionalInt padToMultipleOf) {

    /** The tokenizer of the base model. */
    public static final String BASE = "base";

    /** The tokens of the base model, then those of the other models. */
    public static final String UNION = "union";

    public TokenizerChoice {
        tokens = Collections.unmodifiableMap(new LinkedHashMap<>(tokens));
        if (padToMultipleOf.isPresent() && padToMultipleOf.getAsInt() < 1) {
            throw new IllegalArgumentException(
                    "padToMultipleOf must be at least 1 but was " + padToMultipleOf.getAsInt());
        }
    }

    /** Returns a choice without rules for single tokens. */
    public static TokenizerChoice of(String source) {
        return new TokenizerChoice(source, Map.of(), OptionalInt.empty());
    }

    /**
     * The source of one token's embedding. <em>Immutable.</em>
     *
     * @param source the embedding for models without the token
     * @param force whether {@code source} also replaces the embedding of models that have the token
     */
    public record TokenRule(Optional<TokenSource> source, boolean force) {}

    /** A source of an embedding. */
    public sealed interface TokenSource {}

    /** All zeros. <em>Immutable.</em> */
    public record Zero() implements TokenSource {}

    /** The same token of a model. <em>Immutable.</em> */
    public record SameToken(ModelReference model) implements TokenSource {}

    /** Another token of a model, identified by its text or, if that is empty, by its id. <em>Immutable.</em> */
    public record OtherToken(ModelReference model, Optional<String> token, OptionalInt id) implements TokenSource {}
}
