package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;
import dev.pollux.tensor.StackedMatrix;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Turns the described parts of an architecture into the operators of one kind of graph. <em>Confined to one thread.</em>
 *
 * <p>An architecture is written once, with {@link Blocks}. Blocks adds the operators that are equal in every kind of graph.
 * The lowering decides the rest: the storage and product of matrices, the tokens that a token attends to, the source of
 * positions, and the state that is carried between runs.
 */
public interface Lowering {

    /**
     * The name of a value.
     *
     * @param kind the kind of operation
     * @param hint the architecture's name, unique in the graph
     */
    String name(String kind, String hint);

    /**
     * A constant of the graph.
     *
     * @param kind the kind of content
     * @param key constants with equal keys are equal and may be shared
     * @param make adds it under a name
     */
    Value constant(String kind, String key, Function<String, Value> make);

    /** The shape to which a value of (batch, tokens, …) is reshaped so that these two dimensions stay. */
    long[] tokenShape(long... rest);

    /** Reshapes (batch · tokens, width) to (batch, tokens, width). */
    Value byToken(Value flat, String output, int width);

    /** The rows of a table by the ids of the tokens, (batch, tokens, columns). */
    Value embed(String output, StackedMatrix table);

    /** y = x·Wᵀ (+ bias). */
    Value linear(Value x, String output, Linear linear);

    /** Sets the share of tokens that the following matrices process; initially 1. */
    void readBy(double share);

    /**
     * Whether the graph skips an expert without tokens, by a branch. Without branches, all values are visible in the whole
     * graph.
     */
    default boolean skipsExperts() {
        return true;
    }

    /** The effective weight of a norm; ones if {@code weight} is empty. */
    Value normWeight(Norm norm, String output, String weight, int width);

    /**
     * A sum and its norm as one operator.
     *
     * @param sum the name of the sum
     * @return the norm and the sum; empty if one operator cannot compute both
     */
    List<Value> normOfSum(Value x, Value y, Norm norm, String output, String weight, String sum);

    /** Declares rotary positions before their first use. */
    void declare(Rotary rotary);

    /** x (batch, tokens, heads · head width) with the beginning of each head rotated by its position. */
    Value rotate(Value x, int heads, Rotary rotary);

    /**
     * A table's row for the position of each token, (batch, tokens, width).
     *
     * @param table (rows, width), read when the graph is written
     */
    Value byPosition(String name, Supplier<float[]> table, int rows, int width);

    /**
     * Attention over packed q, k and v: (batch, tokens, (heads + 2 keyValueHeads) · width) to (batch, tokens, heads ·
     * width).
     */
    Value attend(Attention attention, Value queryKeyValue);

    /** Attention over q, k and v, each (batch, tokens, its heads · width), not yet normed or rotated. */
    Value attend(Attention attention, Value query, Value key, Value value);

    /** Attention with a prepared {@link #key}, which may come from another layer. */
    Value attendPrepared(Attention attention, Value query, Value key, Value value);

    /** k after the norm, and after rotation unless the attention operator rotates. */
    Value key(Attention attention, Value key);

    /**
     * A causal convolution of each channel by itself, (batch, channels, tokens) to the same.
     *
     * @param inputs x, the weight (channels, 1, kernel), and the bias or {@link Value#NONE}
     * @param activation {@code silu} or {@code none}
     */
    Value convolution(Recurrence recurrence, List<Value> inputs, int channels, int kernel, String activation);

    /** See {@link Recurrence#linearAttention}. */
    Value linearAttention(Recurrence recurrence, LinearAttention attention);

    /** The logits, from the normed stream. */
    Value logits(Value normed, Head head);
}
