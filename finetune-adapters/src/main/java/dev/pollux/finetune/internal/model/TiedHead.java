package dev.pollux.finetune.internal.model;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.LayerName;
import java.util.Optional;
import java.util.Set;

/**
 * The head of a model that computes its logits with its embedding.
 *
 * @param embedding the tensor with its values
 * @param head its name as a separate tensor
 */
public record TiedHead(String embedding, String head) {

    private static final String TIE = "tie_word_embeddings";

    /** The tied head of a model; empty if the model has a head of its own, or none. */
    public static Optional<TiedHead> of(ObjectNode config, Set<String> tensors) {
        if (tensors.stream().anyMatch(LayerName::isHead) || !writesText(config) || isApart(config)) {
            return Optional.empty();
        }
        return tensors.stream()
                .filter(LayerName::isEmbedding)
                .findFirst()
                .map(embedding -> new TiedHead(embedding, headOf(embedding)));
    }

    /** A configuration without classes is assumed to be that of a language model. */
    private static boolean writesText(ObjectNode config) {
        JsonNode classes = config.path("architectures");
        String name = classes.path(0).asString("");
        return name.isEmpty()
                || name.contains("CausalLM")
                || name.contains("LMHead")
                || name.contains("ConditionalGeneration");
    }

    /** Whether the configuration declares a separate head, stored or not. */
    static boolean isApart(ObjectNode config) {
        JsonNode text = config.path("text_config").path(TIE);
        JsonNode tie = config.has(TIE) ? config.path(TIE) : text;
        return tie.isBoolean() && !tie.asBoolean();
    }

    private static String headOf(String embedding) {
        if (embedding.endsWith("embed_in.weight")) {
            return "embed_out.weight";
        }
        if (embedding.endsWith("tok_embeddings.weight")) {
            return "output.weight";
        }
        return (embedding.startsWith("language_model.model.") ? "language_model." : "") + "lm_head.weight";
    }

    /** Sets {@code config} to a separate head, overriding the defaults of the model's family. */
    public static void untie(ObjectNode config) {
        config.put(TIE, false);
        if (config.get("text_config") instanceof ObjectNode text) {
            text.put(TIE, false);
        }
    }
}
