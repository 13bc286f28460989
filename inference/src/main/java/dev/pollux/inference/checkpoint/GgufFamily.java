package dev.pollux.inference.checkpoint;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The mapping of a GGUF architecture to a Hugging Face class: names of tensors, their layout, and settings. <em>Immutable.</em>
 *
 * @param architecture the name of the Hugging Face class
 * @param names Hugging Face names of tensors by their GGUF names, with {@code .weight} or {@code .bias} if that differs
 *     too; {@code blk} maps to the prefix of a layer's number; {@code %d} represents the number of an expert
 * @param pairs whether the rows of q and k are stored for rotation of neighbouring pairs
 * @param normShift the number that was added to the weights of norms
 * @param settings keys of the metadata, without the architecture, by the setting that they supply
 * @param fixed settings that the format implies
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

    /** The same mapping for another class. */
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
