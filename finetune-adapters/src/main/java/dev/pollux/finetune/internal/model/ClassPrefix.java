package dev.pollux.finetune.internal.model;

import dev.pollux.tensor.LayerName;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Maps the tensor names of a model to those of a model that was saved from another class.
 *
 * <p>A class prefixes the tensor names of its inner model: {@code GPT2LMHeadModel} has {@code transformer.h.0}; {@code
 * GPT2Model}, from which the published GPT-2 was saved, has {@code h.0}. Multimodal models put a prefix before the names of
 * their language model, and its position differs between versions of transformers: {@code language_model.model.layers} became
 * {@code model.language_model.layers}. Two names are equal if they are equal without these prefixes.
 *
 * <p>Example: {@code transformer.h.0.attn.c_attn.weight} matches {@code h.0.attn.c_attn.weight}, but not {@code
 * h.1.attn.c_attn.weight}.
 */
public final class ClassPrefix {

    private static final Set<String> WORDS = Set.of(
            "model",
            "transformer",
            "gpt_neox",
            "language_model",
            "text_model",
            "llm",
            "backbone",
            "base_model",
            "auto_model",
            "decoder_model",
            "rwkv",
            "bert",
            "roberta",
            "distilbert",
            "electra",
            "albert",
            "mpnet",
            "deberta",
            "longformer");

    private ClassPrefix() {}

    /** The name without class prefixes. */
    static String without(String tensor) {
        int from = 0;
        for (int to = tensor.indexOf('.'); to > 0; to = tensor.indexOf('.', from)) {
            if (!WORDS.contains(tensor.substring(from, to))) {
                break;
            }
            from = to + 1;
        }
        return tensor.substring(from);
    }

    /**
     * Maps each of {@code names} to its counterpart in {@code like}. A name without a counterpart gets the prefix of its layer.
     * If two names differ only in their class prefixes, all names stay unchanged.
     */
    public static Map<String, String> renamed(Set<String> names, Set<String> like) {
        Map<String, String> bare = new HashMap<>();
        like.forEach(name -> bare.put(without(name), name));
        Map<String, String> renamed = new LinkedHashMap<>();
        Map<String, String> layers = new HashMap<>(); // prefix → prefix
        for (String name : names) {
            String other = like.contains(name) ? name : bare.getOrDefault(without(name), name);
            renamed.put(name, other);
            Optional<LayerName> own = LayerName.parse(name);
            Optional<LayerName> due = LayerName.parse(other);
            if (own.isPresent() && due.isPresent() && like.contains(other)) {
                layers.putIfAbsent(own.get().prefix(), due.get().prefix());
            }
        }
        renamed.replaceAll((name, other) -> like.contains(other)
                ? other
                : LayerName.parse(name)
                        .filter(layer -> layers.containsKey(layer.prefix()))
                        .map(layer -> layers.get(layer.prefix()) + layer.layer() + layer.suffix())
                        .orElse(other));
        boolean apart = bare.size() == like.size() && new HashSet<>(renamed.values()).size() == names.size();
        if (!apart) {
            renamed.replaceAll((name, other) -> name);
        }
        return renamed;
    }
}
