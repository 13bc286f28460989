package dev.pollux.finetune.internal.model;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.adapter.AdapterNames;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TensorSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A model with an adapter applied.
 *
 * <p>In a tied model, the head and the embedding are one matrix. If the adapter changes only one of them, the other keeps its
 * values, as in PEFT. The result then has two matrices and {@code tie_word_embeddings} is false.
 */
record AdaptedModel(ObjectNode config, Map<String, TensorSource> tensors, Map<String, DType> types) {

    private static final Pattern CLASSIFIERS =
            Pattern.compile("(?:score|classifier|qa_outputs|v_head)\\.(?:.+\\.)?(?:weight|bias)");

    private static final Set<String> TRANSPOSED = Set.of("gpt2", "openai-gpt");

    /** Returns this model with {@code changes} applied, named {@code label}. */
    AdaptedModel with(AdapterOverlay changes, String label) {
        Map<String, String> targets = resolve(changes, label);
        AdaptedModel untied = TiedHead.of(config, tensors.keySet())
                .filter(tied -> parts(changes, targets, tied))
                .map(tied -> untied(changes, targets, tied))
                .orElse(this);
        Map<String, TensorSource> changed = new LinkedHashMap<>(untied.tensors);
        targets.forEach((tensor, target) -> changed.computeIfPresent(
                tensor, (name, of) -> changes.adapted(target, of, isTransposed(name), label + ":" + name)));
        requireOneVocabulary(changes, untied.tensors, changed);
        return new AdaptedModel(untied.config, changed, untied.types);
    }

    /** Whether a matrix is stored as (in, out), as in the layers of GPT-2. */
    private boolean isTransposed(String tensor) {
        return TRANSPOSED.contains(config.path("model_type").asString(""))
                && LayerName.parse(tensor).isPresent();
    }

    /** Returns the adapter's names by the names of the model's tensors. */
    private Map<String, String> resolve(AdapterOverlay changes, String label) {
        Optional<TiedHead> tied = TiedHead.of(config, tensors.keySet());
        Set<String> known = new TreeSet<>(tensors.keySet());
        tied.ifPresent(head -> known.add(head.head()));
        AdapterNames names = AdapterNames.of(known);
        Map<String, String> targets = new LinkedHashMap<>();
        for (String target : new TreeSet<>(changes.targets())) {
            String tensor = names.find(target)
                    .orElseThrow(() -> new MalformedFileException("adapter " + changes.label() + " changes " + target
                            + ", which its model does not have; "
                            + (CLASSIFIERS.matcher(target).matches()
                                    ? "it is the head of a classifier, which a language model does not have: load"
                                            + " it with PEFT, merge it there, and save it"
                                    : "use the model it was trained on")));
            String other = targets.put(tensor, target);
            if (other != null) {
                throw new MalformedFileException("adapter " + changes.label() + " changes " + tensor + " of " + label
                        + " twice, as " + other + " and as " + target + "; download it again");
            }
        }
        return targets;
    }

    private static boolean parts(AdapterOverlay changes, Map<String, String> targets, TiedHead tied) {
        return targets.containsKey(tied.head()) || targets.containsKey(tied.embedding()) && !changes.tiesHead();
    }

    /** Returns the model with a separate head. The head gets the values of the embedding during the adapter's training. */
    private AdaptedModel untied(AdapterOverlay changes, Map<String, String> targets, TiedHead tied) {
        Map<String, TensorSource> apart = new LinkedHashMap<>(tensors);
        Optional.ofNullable(targets.get(tied.embedding()))
                .flatMap(changes::base)
                .or(() -> Optional.ofNullable(tensors.get(tied.embedding())))
                .ifPresent(head -> apart.put(tied.head(), head));
        Map<String, DType> typesApart = new HashMap<>(types);
        Optional.ofNullable(types.get(tied.embedding())).ifPresent(type -> typesApart.put(tied.head(), type));
        ObjectNode configApart = config.deepCopy();
        TiedHead.untie(configApart);
        return new AdaptedModel(configApart, apart, typesApart);
    }

    /** Rejects rows added to only one of embedding and head: no file contains the rows of the other. */
    private static void requireOneVocabulary(
            AdapterOverlay changes, Map<String, TensorSource> before, Map<String, TensorSource> after) {
        Optional<String> embedding =
                after.keySet().stream().filter(LayerName::isEmbedding).findFirst();
        Optional<String> head =
                after.keySet().stream().filter(LayerName::isHead).findFirst();
        if (embedding.isEmpty() || head.isEmpty()) {
            return;
        }
        List<Long> shape = shape(after, embedding.get());
        List<Long> other = shape(after, head.get());
        if (!shape.equals(other) && shape(before, embedding.get()).equals(shape(before, head.get()))) {
            throw new MalformedFileException("adapter " + changes.label() + " leaves " + embedding.get() + " with "
                    + shape.get(0) + " rows and " + head.get() + " with " + other.get(0)
                    + "; save it again with both (save_embedding_layers=True)");
        }
    }

    private static List<Long> shape(Map<String, TensorSource> tensors, String name) {
        return Optional.ofNullable(tensors.get(name)).map(TensorSource::shape).orElse(List.of());
    }
}
