package dev.pollux.finetune.merge;

import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A merge in a process of its own, to be killed or started otherwise. */
final class MergeProcess {

    static final MergeOptions OPTIONS =
            MergeOptions.builder().threads(1).seed(3).build();

    private MergeProcess() {}

    /** Starts {@link #main}, whose JVM has no modules beyond those it resolves by itself. */
    static Process start(Path folder, String method, Path target) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        MergeProcess.class.getName(),
                        folder.toString(),
                        method,
                        target.toString())
                .inheritIO()
                .start();
    }

    static MergePlan plan(String method) {
        Map<String, LayerSchedule> half = Map.of("weight", LayerSchedule.of(0.5), "density", LayerSchedule.of(0.4));
        return MergePlan.builder(method)
                .base("base")
                .model("a", half)
                .model("b", half)
                .build();
    }

    /** Merges the models of the folder {@code arguments[0]} by {@code arguments[1]} into {@code arguments[2]}. */
    public static void main(String[] arguments) {
        CheckpointMerger.in(Path.of(arguments[0]), OPTIONS)
                .merge(plan(arguments[1]), Path.of(arguments[2]))
                .run();
    }
}
