package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The attention of one layer (grouped queries, arXiv:2305.13245), described call by call, then written. It is one fused
 * operator with its cache; norms and rotation stand before it where the operator cannot do them. <em>Confined to one
 * thread.</em>
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
    private String queryFactors = "";
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

    /** A token sees itself and the {@code newWindow} − 1 before it; 0 for all. */
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

    /** A factor for all queries of a token, (1, S, 1). */
    public Attention queryFactors(String factors) {
        queryFactors = factors;
        return this;
    }

    /** One more logit a head, whose column is dropped after the softmax (StreamingLLM, arXiv:2309.17453). */
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

    /** The whole of it with the usual names: q, k and v projections, attention, o. */
    public String write(String x, String at) {
        return output(attend(project(x, at)), at + "o_proj.weight");
    }

    /** q, k and v in one product, of stored matrices with the usual names. */
    public String project(String x, String at) {
        return project(
                x, b.matrix(b.config.hiddenSize(), at + "q_proj.weight", at + "k_proj.weight", at + "v_proj.weight"));
    }

    /** The same of a matrix that holds them, in this order. */
    public String project(String x, StackedMatrix packed) {
        return b.weights.project(x, p + "qkv", packed.requireRows((heads + 2 * keyValueHeads) * width));
    }

    public String output(String attended, String weight) {
        return b.project(attended, p + "o", weight, b.config.hiddenSize(), heads * width);
    }

    /** Attention over packed q, k, v: (1, S, (heads + 2 keyValueHeads) width) to (1, S, heads width). */
    public String attend(String qkv) {
        if (norm == null
                && queryFactors.isEmpty()
                && (rotary == null || rotatesInside(rotary))
                && fusedWidth() == width) {
            return fused(List.of(qkv, "", ""));
        }
        int own = heads * width;
        int narrow = keyValueHeads * width;
        List<String> parts = b.split(qkv, List.of(p + "q", p + "k", p + "v"), own, narrow, narrow);
        return attend(parts.get(0), parts.get(1), parts.get(2));
    }

    /** Attention over q, k and v, each (1, S, its heads · width), not yet normed or rotated. */
    public String attend(String q, String k, String v) {
        return attendPrepared(q, key(k), v);
    }

    /** The same with a {@link #key} that may be another layer's. */
    public String attendPrepared(String q, String key, String v) {
        String query = prepared(q, heads, queryNorm);
        if (!queryFactors.isEmpty()) {
            query = b.op("Mul", p + "q.factored", query, queryFactors);
        }
        if (fusedWidth() == width) {
            return fused(List.of(query, key, v));
        }
        String wide = fused(List.of(widened(query, heads), widened(key, keyValueHeads), widened(v, keyValueHeads)));
        String byHead = b.reshaped(wide, wide + ".heads", 0, -1, heads, fusedWidth());
        List<String> parts = b.split(byHead, List.of(wide + ".narrow", wide + ".zeros"), width, fusedWidth() - width);
        return b.reshaped(parts.get(0), wide + ".own", 0, -1, (long) heads * width);
    }

    /** k, normed, and rotated unless the operator does that. */
    public String key(String k) {
        return prepared(k, keyValueHeads, keyNorm);
    }

    private String prepared(String x, int count, String weight) {
        String prepared = weight.isEmpty() ? x : normed(x, count, weight);
        Rotary r = rotary;
        return r == null || rotatesInside(r) ? prepared : rotated(prepared, count, r);
    }

    private String normed(String x, int count, String weight) {
        Norm by = java.util.Objects.requireNonNull(norm);
        if (wholeNorms) {
            return b.norm(by, x, x + ".normed", weight, count * width);
        }
        String byHead = b.reshaped(x, x + ".heads", 0, -1, count, width);
        String normed;
        if (b.tensors.require(weight).elements() == width) {
            normed = b.norm(by, byHead, x + ".heads.normed", weight, width);
        } else { // a weight for each head
            String plain = b.norm(by, byHead, x + ".heads.plain", "", width);
            String each = b.graph.floats(x + ".norm.weight", b.tensors.vector(weight, count * width), count, width);
            normed = b.op("Mul", x + ".heads.normed", plain, each);
        }
        return b.reshaped(normed, x + ".normed", 0, -1, (long) count * width);
    }

    /** The fused operator rotates whole heads of a multiple of 16 by position. */
    private boolean rotatesInside(Rotary r) {
        return r.width() == width && width % 16 == 0;
    }

    private String rotated(String x, int count, Rotary r) {
        String row = r.positions().isEmpty() ? b.positions() : r.positions();
        return b.fused(
                "RotaryEmbedding",
                x + ".rotated",
                List.of(x, row, r.cos(), r.sin()),
                Map.of("num_heads", count, "rotary_embedding_dim", r.width(), "interleaved", r.interleaved() ? 1 : 0));
    }

    /** The fused operator takes heads of a multiple of 8; others are filled with zeros, which change no score. */
    private int fusedWidth() {
        return (width + 7) / 8 * 8;
    }

    private String widened(String x, int count) {
        String byHead = b.reshaped(x, x + ".split", 0, -1, count, width);
        String amounts = b.graph.integers(x + ".pads", 0, 0, 0, 0, 0, 0, 0, fusedWidth() - width);
        b.op("Pad", x + ".padded", byHead, amounts);
        return b.reshaped(x + ".padded", x + ".wide", 0, -1, (long) count * fusedWidth());
    }

    private String fused(List<String> qkv) {
        List<StateTensor> states = b.keyValues(layer, keyValueHeads, fusedWidth());
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("num_heads", heads);
        attributes.put("kv_num_heads", keyValueHeads);
        attributes.put("scale", (float) scale);
        if (window > 0) {
            attributes.put("local_window_size", window);
        }
        if (softCap > 0) {
            attributes.put("softcap", (float) softCap);
        }
        List<String> inputs = new ArrayList<>(qkv);
        inputs.addAll(List.of(states.get(0).input(), states.get(1).input(), "seqlens_k", "total_sequence_length"));
        Rotary r = rotary;
        if (r != null && rotatesInside(r)) {
            attributes.put("do_rotary", 1);
            attributes.put("rotary_interleaved", r.interleaved() ? 1 : 0);
            inputs.addAll(List.of(r.cos(), r.sin(), r.positions()));
        } else {
            inputs.addAll(List.of("", "", ""));
        }
        if (!sinks.isEmpty()) {
            inputs.add("");
            inputs.add(b.graph.floats(p + "sinks", b.tensors.vector(sinks, heads), heads));
        }
        while (inputs.get(inputs.size() - 1).isEmpty()) {
            inputs.remove(inputs.size() - 1);
        }
        b.graph.node(
                "GroupQueryAttention",
                GraphWriter.MICROSOFT,
                inputs,
                List.of(p + "attention", states.get(0).output(), states.get(1).output()),
                attributes);
        return p + "attention";
    }
}
