package dev.pollux.inference.adapter;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Maps tensor names of an adapter to those of a model, although classes of one model use different prefixes.
 *
 * <p>For example, a layer of Gemma 3 is {@code language_model.model.layers.0} in its file, {@code
 * model.language_model.layers.0} in newer versions of transformers, {@code model.layers.0} in the language model alone and
 * {@code layers.0} without its head. Two names match if they are equal without these prefixes. <em>Immutable.</em>
 */
public final class AdapterNames {

    private static final Pattern BEGINNING =
            Pattern.compile("(?:(?:model|language_model|text_model|llm|transformer|gpt_neox|backbone)\\.)++");

    private final Set<String> tensors;
    private final Map<String, String> byPlainName = new HashMap<>();

    private AdapterNames(Set<String> tensors) {
        this.tensors = tensors;
        Set<String> ambiguous = new HashSet<>();
        for (String tensor : tensors) {
            String plain = plain(tensor);
            if (byPlainName.putIfAbsent(plain, tensor) != null) {
                ambiguous.add(plain);
            }
        }
        byPlainName.keySet().removeAll(ambiguous);
    }

    /** The names of a model whose tensors are {@code tensors}. */
    public static AdapterNames of(Set<String> tensors) {
        return new AdapterNames(Set.copyOf(tensors));
    }

    /** The model's tensor for {@code name}: the one of that name, else the only one that matches without its prefix. */
    public Optional<String> find(String name) {
        return tensors.contains(name) ? Optional.of(name) : Optional.ofNullable(byPlainName.get(plain(name)));
    }

    /** {@code name} without the prefix. */
    public static String plain(String name) {
        var beginning = BEGINNING.matcher(name);
        String rest = beginning.lookingAt() ? name.substring(beginning.end()) : name;
        return rest.startsWith("vision_tower.vision_model.")
                ? "vision_tower." + rest.substring("vision_tower.vision_model.".length())
                : rest;
    }
}
