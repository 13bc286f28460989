package dev.pollux.merging;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which tokenizer the merged model gets, and where the embeddings of its tokens come from. <em>Immutable.</em>
 *
 * @param source {@code "base"}, {@code "union"}, or a model
 * @param tokens rules for single tokens; those that no model knows are added in the order of this map, so give several of
 *     them in a map that keeps one, such as {@link LinkedHashMap}
 * @param padToMultipleOf the rows of the embedding are rounded up to a multiple of this, if given
 */
public record TokenizerChoice(String source, Map<String, TokenRule> tokens, OptionalInt padToMultipleOf) {

    /** The tokenizer of the base model. */
    public static final String BASE = "base";

    /** The base model's tokens, then those of the others. */
    public static final String UNION = "union";

    public TokenizerChoice {
        tokens = Collections.unmodifiableMap(new LinkedHashMap<>(tokens));
        if (padToMultipleOf.isPresent() && padToMultipleOf.getAsInt() < 1) {
            throw new IllegalArgumentException(
                    "padToMultipleOf must be at least 1 but was " + padToMultipleOf.getAsInt());
        }
    }

    /** A choice without rules for single tokens. */
    public static TokenizerChoice of(String source) {
        return new TokenizerChoice(source, Map.of(), OptionalInt.empty());
    }

    /**
     * Where the embedding of one token comes from. <em>Immutable.</em>
     *
     * @param source for models that lack the token
     * @param force whether also models that have the token take it from there
     */
    public record TokenRule(Optional<TokenSource> source, boolean force) {}

    /** Where an embedding comes from. */
    public sealed interface TokenSource {}

    /** All zeros. <em>Immutable.</em> */
    public record Zero() implements TokenSource {}

    /** The same token of a model. <em>Immutable.</em> */
    public record SameToken(ModelReference model) implements TokenSource {}

    /** Another token of a model, by its text or else its id. <em>Immutable.</em> */
    public record OtherToken(ModelReference model, Optional<String> token, OptionalInt id) implements TokenSource {}
}
