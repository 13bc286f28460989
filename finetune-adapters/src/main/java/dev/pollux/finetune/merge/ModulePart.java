package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.merging.MergePlan;
import dev.pollux.tensor.LayerName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A module of a multimodal model with its plan; for other models, the whole model.
 *
 * <p>A module consists of the tensors whose names begin with its name, with or without {@code model.} before it. Usual names
 * for the language model, the vision tower and so on select these modules in any checkpoint.
 *
 * @param plan without modules
 * @param tensors the names of its tensors in all models
 * @param prefix the prefix of layer tensors
 */
record ModulePart(String name, MergePlan plan, Set<String> tensors, String prefix) {

    /** The name identifies a part of a plan. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ModulePart part && part.name.equals(name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    /** The roles of modules; the first matching kind applies to a tensor. */
    private enum Kind {
        VISION(
                "vision|visual|vision_tower|vision_model|vision_encoder|image_encoder",
                "vision_tower|vision_model|vision_encoder|visual|vision_embed_tokens"),
        PROJECTOR(
                "projector|multi_modal_projector|mm_projector|connector",
                "multi_modal_projector|mm_projector|connector|embed_vision"),
        AUDIO(
                "audio|audio_tower|audio_model|audio_encoder",
                "audio_tower|audio_model|audio_encoder|audio_projector|embed_audio"),
        TEXT("text|text_decoder|text_model|language_model|decoder|llm", "language_model|text_model|model|lm_head|mtp");

        private final Pattern module;
        private final Pattern tensor;

        Kind(String module, String tensor) {
            this.module = Pattern.compile(module);
            this.tensor = Pattern.compile("(?:model\\.)?(?:" + tensor + ")\\..+");
        }

        static Optional<Kind> ofTensor(String name) {
            return List.of(values()).stream()
                    .filter(kind -> kind.tensor.matcher(name).matches())
                    .findFirst();
        }
    }

    /** Whether a tensor belongs to a vision or audio module and {@code model} is text-only. */
    static boolean isBeyond(InputModel model, String tensor) {
        Optional<Kind> kind = Kind.ofTensor(tensor).filter(of -> of != Kind.TEXT);
        return kind.isPresent()
                && model.tensors().keySet().stream()
                        .noneMatch(name -> Kind.ofTensor(name).equals(kind));
    }

    /**
     * The parts of a plan, in its order.
     *
     * @param tensors the tensors of all its models
     */
    static List<ModulePart> of(MergePlan plan, Set<String> tensors, Problems problems) {
        if (plan.modules().isEmpty()) {
            return List.of(new ModulePart("", plan, tensors, prefixOf(tensors)));
        }
        Map<String, Set<String>> names = new LinkedHashMap<>();
        plan.modules().forEach(module -> names.put(module.name(), new TreeSet<>()));
        for (String tensor : tensors) {
            Optional<String> module = moduleOf(tensor, names.keySet());
            if (module.isEmpty()) {
                problems.fatal(
                        "tensor ",
                        tensor,
                        " belongs to no module of the plan, which names " + String.join(", ", names.keySet())
                                + "; name its module too");
            }
            module.ifPresent(
                    name -> names.computeIfAbsent(name, key -> new TreeSet<>()).add(tensor));
        }
        List<ModulePart> parts = new ArrayList<>();
        for (MergePlan.Module module : plan.modules()) {
            Set<String> own = names.getOrDefault(module.name(), Set.of());
            if (own.isEmpty()) {
                problems.fatal("module " + module.name() + " has no tensors in these models; "
                        + (kinds(tensors) > 1
                                ? "their parts are " + String.join(", ", parts(tensors))
                                : "they have one module, so give models or slices at the top of the plan"));
            }
            parts.add(new ModulePart(module.name(), plan.of(module), own, prefixOf(own)));
        }
        return parts;
    }

    private static Optional<String> moduleOf(String tensor, Set<String> modules) {
        Optional<String> named = modules.stream()
                .filter(module -> tensor.startsWith(module + ".") || tensor.startsWith("model." + module + "."))
                .max(Comparator.comparingInt(String::length));
        return named.isPresent()
                ? named
                : Kind.ofTensor(tensor)
                        .flatMap(kind -> modules.stream()
                                .filter(module -> kind.module.matcher(module).matches())
                                .findFirst());
    }

    /** The number of kinds of modules. */
    private static long kinds(Set<String> tensors) {
        return tensors.stream().map(Kind::ofTensor).distinct().count();
    }

    private static Set<String> parts(Set<String> tensors) {
        Set<String> parts = new TreeSet<>();
        for (String tensor : tensors) {
            int from = tensor.startsWith("model.") ? "model.".length() : 0;
            int to = tensor.indexOf('.', from);
            parts.add(to < 0 ? tensor : tensor.substring(0, to));
        }
        return parts;
    }

    private static String prefixOf(Set<String> tensors) {
        return LayerName.commonPrefix(tensors).orElse("");
    }

    boolean has(String tensor) {
        return tensors.contains(tensor);
    }

    /** Whether this is the language model, whose layers the configuration counts. */
    boolean isLanguageModel() {
        return tensors.stream().anyMatch(LayerName::isEmbedding);
    }
}
