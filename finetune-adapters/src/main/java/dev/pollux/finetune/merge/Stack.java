package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePlan.Input;
import dev.pollux.merging.MergePlan.LayerRange;
import dev.pollux.merging.MergePlan.Slice;
import dev.pollux.merging.ModelReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Resolves the slices of a plan: opens the models and counts their layers. */
final class Stack {

    /** One model's part of a slice. */
    record Part(InputModel model, LayerRange layers, Map<String, LayerSchedule> parameters) {}

    /**
     * Consecutive layers of the result.
     *
     * @param number from 1
     * @param base the base, which is one of {@code parts}
     */
    record Level(int number, List<Part> parts, Optional<Part> base, Map<String, LayerSchedule> parameters) {
        int layers() {
            return parts.get(0).layers().size();
        }
    }

    private final MergePlan plan;
    private final MethodKind kind;
    private final Function<ModelReference, Optional<InputModel>> models;
    private final String prefix;
    private final Problems problems;

    Stack(
            MergePlan plan,
            MethodKind kind,
            Function<ModelReference, Optional<InputModel>> models,
            String prefix,
            Problems problems) {
        this.plan = plan;
        this.kind = kind;
        this.models = models;
        this.prefix = prefix;
        this.problems = problems;
    }

    /** Returns the levels from the first layer to the last, and reports their problems. */
    List<Level> levels() {
        List<Level> levels = new ArrayList<>();
        for (Slice slice : plan.slices()) {
            int number = levels.size() + 1;
            Optional<ModelReference> base = slice.base().or(plan::base);
            List<Part> parts = parts(slice, base, number);
            Optional<Part> basePart = parts.stream()
                    .filter(part -> base.map(ModelReference::toString)
                            .filter(part.model().label()::equals)
                            .isPresent())
                    .findFirst();
            Level level = new Level(number, parts, basePart, slice.parameters());
            check(level, base);
            levels.add(level);
        }
        if (plan.slices().isEmpty() && !problems.anyFatal()) {
            problems.fatal("the plan has no models; give models or slices");
        }
        return levels;
    }

    private List<Part> parts(Slice slice, Optional<ModelReference> base, int number) {
        Map<String, Part> parts = new LinkedHashMap<>();
        for (Input input : slice.inputs()) {
            models.apply(input.model()).ifPresent(model -> {
                LayerRange all = new LayerRange(0, model.layers(prefix));
                Part part = new Part(model, input.layers().orElse(all), input.parameters());
                if (parts.putIfAbsent(model.label(), part) != null) {
                    problems.notice("model " + model.label() + " occurs twice in slice " + number
                            + "; only its first entry counts");
                }
                if (input.layers().isPresent() && part.layers().size() == 0) {
                    problems.fatal("layer_range " + part.layers() + " of model " + model.label()
                            + " holds no layer; its second number is the layer after the last");
                } else if (part.layers().from() < 0
                        || part.layers().size() < 0
                        || part.layers().to() > all.to()) {
                    problems.fatal("layer_range " + part.layers() + " is outside model " + model.label()
                            + ", which has " + all.to() + " layers");
                }
            });
        }
        boolean whole = slice.inputs().stream().allMatch(input -> input.layers().isEmpty());
        if (whole && base.isPresent()) {
            models.apply(base.get())
                    .ifPresent(model -> parts.putIfAbsent(
                            model.label(), new Part(model, new LayerRange(0, model.layers(prefix)), Map.of())));
        }
        return List.copyOf(parts.values());
    }

    private void check(Level level, Optional<ModelReference> base) {
        List<Integer> sizes =
                level.parts().stream().map(part -> part.layers().size()).toList();
        if (sizes.stream().distinct().count() > 1) {
            problems.fatal("the sources of slice " + level.number() + " have " + join(sizes)
                    + " layers; all must have the same number");
        }
        MethodKind.Base need = kind.base();
        boolean required = need == MethodKind.Base.REQUIRED || need == MethodKind.Base.END;
        if (required && base.isEmpty()) {
            problems.fatal(kind.label() + " needs base_model"
                    + (need == MethodKind.Base.END
                            ? ", one of the two models"
                            : "; name the model that the others come from"));
            return;
        }
        boolean complete = level.parts().size()
                >= plan.slices().get(level.number() - 1).inputs().size();
        if (need != MethodKind.Base.INPUT && base.isPresent() && level.base().isEmpty() && complete) {
            problems.fatal("slice " + level.number() + " has no source from base_model " + base.get()
                    + "; add it with its layer_range");
            return;
        }
        checkCount(level, complete);
    }

    private void checkCount(Level level, boolean complete) {
        boolean apart = kind.base() == MethodKind.Base.OPTIONAL || kind.base() == MethodKind.Base.REQUIRED;
        int number = level.parts().size() - (apart && level.base().isPresent() ? 1 : 0);
        if (complete && !kind.count().allows(number)) {
            problems.fatal(kind.label() + " takes " + kind.count()
                    + (kind.base() == MethodKind.Base.REQUIRED ? " besides the base" : "") + " but slice "
                    + level.number()
                    + " has " + number);
        }
    }

    private static String join(List<Integer> sizes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < sizes.size(); i++) {
            text.append(i == 0 ? "" : i == sizes.size() - 1 ? " and " : ", ").append(sizes.get(i));
        }
        return text.toString();
    }
}
