package dev.pollux.merge;

import dev.pollux.tensor.LayerName;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Brings the names of one model's tensors to those of another that was saved from another class.
 *
 * <p>A class puts a prefix before the names of what it wraps: {@code GPT2LMHeadModel} has {@code transformer.h.0}, and
 * {@code GPT2Model}, of which the published GPT-2 was saved, {@code h.0}. Models that see or hear put one before those of
 * their language model, and where has changed between versions of transformers: {@code language_model.model.layers} became
 * {@code model.language_model.layers}. Names are the same if they are without such words at their beginning.
 */
final class ClassPrefix {

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

    /** The name without the words of classes at its beginning. */
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
     * What each of {@code names} is called in the model that {@code like} are the names of; those that have no counterpart go
     * with their layers. Names stay as they are where words of classes tell two of them apart.
     */
    static Map<String, String> renamed(Set<String> names, Set<String> like) {
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
