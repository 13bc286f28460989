package dev.pollux.merge;

import dev.pollux.merging.MergePlan;
import dev.pollux.merging.Setting;
import java.nio.file.Path;
import java.util.Map;

/** A merge in a process of its own, to be killed. */
final class MergeProcess {

    static final MergeOptions OPTIONS =
            MergeOptions.builder().threads(1).seed(3).build();

    private MergeProcess() {}

    static MergePlan plan() {
        Map<String, Setting> half = Map.of("weight", Setting.of(0.5), "density", Setting.of(0.4));
        return MergePlan.builder("della")
                .base("base")
                .model("a", half)
                .model("b", half)
                .build();
    }

    /** Merges the models of the folder {@code arguments[0]} into {@code arguments[1]}. */
    public static void main(String[] arguments) {
        CheckpointMerger.in(Path.of(arguments[0]), OPTIONS)
                .merge(plan(), Path.of(arguments[1]))
                .run();
    }
}
