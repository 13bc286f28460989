package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;
import dev.pollux.tensor.StackedMatrix;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The attention of one layer (grouped queries, arXiv:2305.13245): a fluent description that the lowering writes.
 * <em>Confined to one thread.</em>
 */
public final class Attention {

    private final Blocks b;
    private final int layer;
    private final String p;
    private int heads;
    private int keyValueHeads;
    private int width;
    private double scale;
    private int window;
    private double softCap;
    private @Nullable Rotary rotary;
    private Value queryFactors = Value.NONE;
    private String sinks = "";
    private @Nullable Norm norm;
    private String queryNorm = "";
    private String keyNorm = "";
    private boolean wholeNorms;

    /** @param p before the names of its values, such as {@code layers.0.} */
    public Attention(Blocks b, int layer, String p) {
        this.b = b;
        this.layer = layer;
        this.p = p;
        heads(b.config.heads(), b.config.keyValueHeads(), b.config.headDim());
    }

    public Attention heads(int newHeads, int newKeyValueHeads, int newWidth) {
        heads = newHeads;
        keyValueHeads = newKeyValueHeads;
        width = newWidth;
        return scale(1 / Math.sqrt(newWidth));
    }

    /** The factor on q·k; default 1 / sqrt(width). */
    public Attention scale(double newScale) {
        scale = newScale;
        return this;
    }

    /** A sliding window: a token attends to itself and the {@code newWindow} − 1 tokens before it; 0 for all. */
    public Attention window(int newWindow) {
        window = newWindow;
        return this;
    }

    /** Scores become cap · tanh(score / cap); 0 for none. */
    public Attention softCap(double cap) {
        softCap = cap;
        return this;
    }

    public Attention rotary(Rotary newRotary) {
        rotary = newRotary;
        return this;
    }

    /** A factor for all queries of a token, (batch, tokens, 1). */
    public Attention queryFactors(Value factors) {
        queryFactors = factors;
        return this;
    }

    /** Attention sinks: one more logit per head, dropped after the softmax (StreamingLLM, arXiv:2309.17453). */
    public Attention sinks(String tensor) {
        sinks = tensor;
        return this;
    }

    /** q and k are normalized head by head before rotation; the weight is one head's, or (heads, width). */
    public Attention headNorms(Norm newNorm, String query, String key) {
        norm = newNorm;
        queryNorm = query;
        keyNorm = key;
        return this;
    }

    /** q and k are normalized over all heads together before rotation. */
    public Attention wholeNorms(Norm newNorm, String query, String key) {
        wholeNorms = true;
        return headNorms(newNorm, query, key);
    }

    // What a lowering asks

    public int layer() {
        return layer;
    }

    /** The prefix of its values' names. */
    public String prefix() {
        return p;
    }

    public int heads() {
        return heads;
    }

    public int keyValueHeads() {
        return keyValueHeads;
    }

    /** The width of a head. */
    public int width() {
        return width;
    }

    public double scale() {
        return scale;
    }

    public int window() {
        return window;
    }

    public double softCap() {
        return softCap;
    }

    public Optional<Rotary> rotary() {
        return Optional.ofNullable(rotary);
    }

    public Value queryFactors() {
        return queryFactors;
    }

    /** The tensor of sinks; empty for none. */
    public String sinks() {
        return sinks;
    }

    /** Whether q and k are normalized. */
    public boolean isNormed() {
        return norm != null;
    }

    /** A normalized query, or a normalized key if {@code key}. */
    public Value normed(Value x, boolean key) {
        String weight = key ? keyNorm : queryNorm;
        return weight.isEmpty() ? x : normed(x, key ? keyValueHeads : heads, weight);
    }

    private Value normed(Value x, int count, String weight) {
        Norm by = Objects.requireNonNull(norm);
        String name = x.name();
        if (wholeNorms) {
            return b.norm(by, x, name + ".normed", weight, count * width);
        }
        Value byHead = b.perToken(x, name + ".heads", count, width);
        Value normed;
        if (b.tensors.require(weight).elements() == width) {
            normed = b.norm(by, byHead, name + ".heads.normed", weight, width);
        } else { // a weight for each head
            Value plain = b.norm(by, byHead, name + ".heads.plain", "", width);
            Value each =
                    b.graph.floats(name + ".norm.weight", b.tensors.vectorLater(weight, count * width), count, width);
            normed = b.op("Mul", name + ".heads.normed", plain, each);
        }
        return b.perToken(normed, name + ".normed", (long) count * width);
    }

    // How an architecture writes it

    /** The complete attention with the usual tensor names: q, k and v projections, attention, o. */
    public Value write(Value x, String at) {
        return output(attend(project(x, at)), at + "o_proj.weight");
    }

    /** q, k and v in one product, of stored matrices with the usual names. */
    public Value project(Value x, String at) {
        return project(
                x, b.matrix(b.config.hiddenSize(), at + "q_proj.weight", at + "k_proj.weight", at + "v_proj.weight"));
    }

    /** The same product for a matrix that contains q, k and v, in this order. */
    public Value project(Value x, StackedMatrix packed) {
        return b.linear(x, p + "qkv", packed.requireRows((heads + 2 * keyValueHeads) * width));
    }

    /** The last projection. */
    public Value output(Value attended, String weight) {
        return b.project(attended, p + "o", weight, b.config.hiddenSize(), heads * width);
    }

    /** Attention over packed q, k, v: (batch, tokens, (heads + 2 keyValueHeads) · width) to (batch, tokens, heads · width). */
    public Value attend(Value qkv) {
        return b.lowering().attend(this, qkv);
    }

    /** Attention over q, k and v, each (batch, tokens, its heads · width), not yet normed or rotated. */
    public Value attend(Value q, Value k, Value v) {
        return b.lowering().attend(this, q, k, v);
    }

    /** Attention with a prepared {@link #key}, which may come from another layer. */
    public Value attendPrepared(Value q, Value key, Value v) {
        return b.lowering().attendPrepared(this, q, key, v);
    }

    /** k after the norm, and after rotation unless the attention operator rotates. */
    public Value key(Value k) {
        return b.lowering().key(this, k);
    }
}
