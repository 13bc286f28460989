package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeProblem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Checks a plan and its stages without running them. */
final class Stages implements AutoCloseable {

    private final MergeOptions options;
    private final List<MergeLayout> layouts = new ArrayList<>();
    private final List<MergeProblem> problems = new ArrayList<>();

    private Stages(MergeOptions options) {
        this.options = options;
    }

    static Stages planned(MergePlan plan, Path folder, MergeOptions options) {
        Stages stages = new Stages(options);
        try {
            Map<String, InputModel> made = new LinkedHashMap<>();
            for (MergePlan stage : plan.stages()) {
                stages.plan(stage, folder, made);
            }
            stages.layouts.add(new MergePlanner(plan, folder, options, made).layout());
            return stages;
        } catch (RuntimeException | Error e) {
            stages.close();
            throw e;
        }
    }

    private void plan(MergePlan stage, Path folder, Map<String, InputModel> made) {
        String name = stage.name().orElse("");
        if (!name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")) {
            problems.add(MergeProblem.fatal("every merge but the last needs a name of letters, digits, '.', '_' and '-'"
                    + " but one was '" + name + "'"));
        }
        MergeLayout layout = new MergePlanner(stage, folder, options, Map.copyOf(made)).layout();
        layouts.add(layout);
        if (!layout.problems().anyFatal()) {
            InputModel result = layout.planned(name, new ResultTexts(layout).config());
            if (made.put(name, result) != null) {
                problems.add(MergeProblem.fatal("two stages are called " + name + "; give each a name of its own"));
            }
        }
    }

    MergePreview preview() {
        List<MergeProblem> all = new ArrayList<>(problems);
        for (MergeLayout layout : layouts) {
            String stage = layout.plan().name().map(name -> name + ": ").orElse("");
            layout.problems().list().forEach(p -> all.add(new MergeProblem(p.severity(), stage + p.message())));
        }
        MergePreview last = layouts.get(layouts.size() - 1).preview(options);
        long read = layouts.stream().mapToLong(MergeLayout::bytesToRead).sum();
        long write = layouts.stream().mapToLong(MergeLayout::bytesToWrite).sum();
        long memory = layouts.stream()
                .mapToLong(layout -> WindowBudget.of(layout.tasks(), options).bytes())
                .max()
                .orElse(0);
        return new MergePreview(all, last.tensors(), read, write, memory);
    }

    @Override
    public void close() {
        layouts.forEach(MergeLayout::close);
    }
}
