package dev.pollux.inference.checkpoint;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a GGUF architecture is read as one of Hugging Face's: names of tensors, their layout, and settings. <em>Immutable.</em>
 *
 * @param architecture the class name in Hugging Face terms
 * @param names what tensors are called there, by their GGUF name, with {@code .weight} or {@code .bias} where that changes too;
 *     under {@code blk} what stands before a layer's number; {@code %d} stands for the number of an expert
 * @param pairs whether the rows of q and k are stored for rotation of neighbouring pairs
 * @param normShift what was added to the weights of norms
 * @param settings keys of the metadata, without the architecture, by the key of the settings that they are
 * @param fixed settings that the format takes for granted
 */
public record GgufFamily(
        String architecture,
        Map<String, String> names,
        boolean pairs,
        double normShift,
        Map<String, String> settings,
        Map<String, Object> fixed) {

    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("blk", "model.layers"),
            Map.entry("token_embd", "model.embed_tokens"),
            Map.entry("output_norm", "model.norm"),
            Map.entry("token_embd_norm", "model.embedding_norm"),
            Map.entry("output", "lm_head"),
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"),
            Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("ffn_norm", "post_attention_layernorm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"),
            Map.entry("ffn_down", "mlp.down_proj"));

    static GgufFamily of(String architecture) {
        return new GgufFamily(architecture, NAMES, false, 0, Map.of(), Map.of());
    }

    /** The same under another class name. */
    GgufFamily named(String other) {
        return new GgufFamily(other, names, pairs, normShift, settings, fixed);
    }

    GgufFamily inPairs() {
        return new GgufFamily(architecture, names, true, normShift, settings, fixed);
    }

    GgufFamily shifted(double shift) {
        return new GgufFamily(architecture, names, pairs, shift, settings, fixed);
    }

    GgufFamily naming(Map<String, String> more) {
        return new GgufFamily(architecture, joined(names, more), pairs, normShift, settings, fixed);
    }

    GgufFamily reading(Map<String, String> more) {
        return new GgufFamily(architecture, names, pairs, normShift, joined(settings, more), fixed);
    }

    GgufFamily taking(Map<String, Object> more) {
        Map<String, Object> all = new TreeMap<>(fixed);
        all.putAll(more);
        return new GgufFamily(architecture, names, pairs, normShift, settings, all);
    }

    private static Map<String, String> joined(Map<String, String> a, Map<String, String> b) {
        Map<String, String> both = new TreeMap<>(a);
        both.putAll(b);
        return Collections.unmodifiableMap(both);
    }
}
