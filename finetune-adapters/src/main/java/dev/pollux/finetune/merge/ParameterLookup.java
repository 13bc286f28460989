package dev.pollux.finetune.merge;

import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;

/** Finds the value of each parameter for a tensor: input, slice, module, plan, default. */
final class ParameterLookup {

    private final MergePlan plan;
    private final MethodKind kind;
    private final boolean likeReference;
    private final Problems problems;

    ParameterLookup(MergePlan plan, MethodKind kind, boolean likeReference, Problems problems) {
        this.plan = plan;
        this.kind = kind;
        this.likeReference = likeReference;
        this.problems = problems;
    }

    /** Returns a lookup that discards its problems. */
    ParameterLookup quiet() {
        return new ParameterLookup(plan, kind, likeReference, new Problems());
    }

    /**
     * The tensor for which parameters are looked up.
     *
     * @param output its name in the result, for global parameters
     * @param inputs its name in each part, for parameters of models
     * @param parts the parts, without the base if differences are taken from it
     * @param position the relative position of its layer, in [0, 1]
     */
    record Place(
            Stack.Level level,
            String output,
            List<String> inputs,
            List<Stack.Part> parts,
            boolean base,
            double position) {}

    /** The parameters for a tensor; empty, and a problem, if a required one is missing. */
    Optional<MethodKind.Arguments> at(Place place) {
        Map<String, Double> globals = new HashMap<>();
        Map<String, List<Double>> perModel = new HashMap<>();
        boolean complete = true;
        for (MethodKind.Parameter parameter : kind.globals()) {
            OptionalDouble value = global(parameter, place);
            value.ifPresent(of -> globals.put(parameter.name(), of));
            complete &= value.isPresent();
        }
        for (MethodKind.Parameter parameter : kind.perModel()) {
            List<Double> values = new ArrayList<>();
            for (int i = 0; i < place.parts().size(); i++) {
                ofModel(parameter, place, i).ifPresent(values::add);
            }
            perModel.put(parameter.name(), values);
            complete &= values.size() == place.parts().size();
        }
        return complete
                ? Optional.of(new MethodKind.Arguments(globals, perModel, place.base(), likeReference))
                : Optional.empty();
    }

    private OptionalDouble global(MethodKind.Parameter parameter, Place place) {
        List<Map<String, LayerSchedule>> scopes =
                List.of(place.level().parameters(), plan.moduleParameters(), plan.parameters());
        OptionalDouble value = value(parameter, scopes, place.output(), place.position());
        if (value.isEmpty()) {
            noteMissing(parameter.name(), "", place.output(), scopes);
        }
        return value;
    }

    private OptionalDouble ofModel(MethodKind.Parameter parameter, Place place, int i) {
        Stack.Part part = place.parts().get(i);
        List<Map<String, LayerSchedule>> scopes =
                List.of(part.parameters(), place.level().parameters(), plan.moduleParameters(), plan.parameters());
        OptionalDouble value = value(parameter, scopes, place.inputs().get(i), place.position());
        if (value.isEmpty()) {
            noteMissing(parameter.name(), part.model().label(), place.inputs().get(i), scopes);
        }
        return value;
    }

    /** The value of the first scope that has one for the tensor; otherwise the default. */
    private static OptionalDouble value(
            MethodKind.Parameter parameter, List<Map<String, LayerSchedule>> scopes, String tensor, double position) {
        for (Map<String, LayerSchedule> scope : scopes) {
            LayerSchedule setting = scope.get(parameter.name());
            OptionalDouble value = setting == null ? OptionalDouble.empty() : setting.at(tensor, position);
            if (value.isPresent()) {
                return value;
            }
        }
        return parameter.fallback();
    }

    private void noteMissing(String name, String model, String tensor, List<Map<String, LayerSchedule>> scopes) {
        boolean given = scopes.stream().anyMatch(scope -> scope.containsKey(name));
        String of = model.isEmpty() ? "" : " for " + model;
        if (given) {
            problems.fatal(
                    "no entry of " + name + of + " matches ",
                    tensor,
                    " and there is no default; add an entry without filter");
        } else if (model.isEmpty()) {
            problems.fatal(kind.label() + " needs parameter " + name);
        } else if (plan.base().map(Object::toString).filter(model::equals).isPresent()) {
            problems.fatal("base_model " + model + " of a " + kind.label() + " merge is an input too and has no " + name
                    + "; give it one or drop base_model");
        } else {
            problems.fatal("parameter " + name + " is missing for model " + model + "; give it one");
        }
    }

    /** Reports unused parameters. */
    void checkNames() {
        List<String> perModel =
                kind.perModel().stream().map(MethodKind.Parameter::name).toList();
        List<String> all = kind.parameters().map(MethodKind.Parameter::name).toList();
        TreeSet<String> unknown = new TreeSet<>();
        check(plan.parameters(), all, unknown);
        check(plan.moduleParameters(), all, unknown);
        plan.slices().forEach(slice -> {
            check(slice.parameters(), all, unknown);
            slice.inputs().forEach(input -> check(input.parameters(), perModel, unknown));
        });
        for (String name : unknown) {
            String why = all.contains(name)
                    ? " has no effect in a single model; it holds for the whole merge"
                    : MethodKind.knowsParameter(name)
                            ? " has no effect in " + kind.label()
                            : " is unknown" + Spelling.hint(name, all) + " and has no effect";
            problems.notice("parameter " + name + why);
        }
        checkBase(perModel);
    }

    /** Reports parameters of a base from which differences are taken, because they have no effect. */
    private void checkBase(List<String> perModel) {
        if (kind.base() != MethodKind.Base.REQUIRED && kind.base() != MethodKind.Base.OPTIONAL) {
            return;
        }
        plan.slices()
                .forEach(slice -> slice.base()
                        .or(plan::base)
                        .ifPresent(base -> slice.inputs().stream()
                                .filter(input -> input.model().toString().equals(base.toString()))
                                .forEach(input -> {
                                    TreeSet<String> given =
                                            new TreeSet<>(input.parameters().keySet());
                                    given.retainAll(perModel);
                                    if (!given.isEmpty()) {
                                        problems.notice("parameter " + String.join(", ", given) + " of base_model "
                                                + base + " has no effect in " + kind.label()
                                                + "; it is for the other models");
                                    }
                                })));
    }

    /** Reports filters that match none of {@code tensors}; filters with a number may refer to layers of the result. */
    void checkFilters(Set<String> tensors) {
        List<Map<String, LayerSchedule>> scopes = new ArrayList<>(List.of(plan.parameters(), plan.moduleParameters()));
        plan.slices().forEach(slice -> {
            scopes.add(slice.parameters());
            slice.inputs().forEach(input -> scopes.add(input.parameters()));
        });
        for (Map<String, LayerSchedule> scope : scopes) {
            scope.forEach((name, setting) -> {
                if (setting instanceof LayerSchedule.Filtered filtered) {
                    filtered.entries().stream()
                            .map(LayerSchedule.Entry::filter)
                            .filter(filter ->
                                    !filter.equals("*") && filter.chars().noneMatch(Character::isDigit))
                            .filter(filter -> tensors.stream().noneMatch(tensor -> tensor.contains(filter)))
                            .forEach(filter -> problems.notice("filter " + filter + " of parameter " + name
                                    + " matches no tensor and has no effect"));
                }
            });
        }
    }

    private static void check(Map<String, LayerSchedule> parameters, List<String> known, Set<String> unknown) {
        parameters.keySet().stream().filter(name -> !known.contains(name)).forEach(unknown::add);
    }
}
