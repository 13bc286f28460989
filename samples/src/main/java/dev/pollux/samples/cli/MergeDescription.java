package dev.pollux.samples.cli;

import dev.pollux.merging.MergePreview;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** What a merge will do, as its commands show it. */
final class MergeDescription {

    private MergeDescription() {}

    /** @param gets what a line of a dry run says of a tensor */
    static Report of(
            Path plan,
            Path target,
            MergePreview preview,
            boolean dryRun,
            Function<MergePreview.PlannedTensor, String> gets) {
        Report report = new Report()
                .add("plan", plan.toString())
                .add(
                        "target",
                        target.toString(),
                        dryRun ? target + " (dry run: nothing is written)" : target.toString())
                .add("dryRun", dryRun, "")
                .add("tensors", preview.tensors().size())
                .add("bytesToRead", preview.bytesToRead(), Texts.bytes(preview.bytesToRead()) + " of weights")
                .add("bytesToWrite", preview.bytesToWrite(), Texts.bytes(preview.bytesToWrite()) + " of weights");
        List<ProblemShape> problems = preview.problems().stream()
                .map(problem -> new ProblemShape(problem.isFatal(), problem.message()))
                .toList();
        report.add("problems", problems, "");
        problems.forEach(problem -> report.line((problem.fatal() ? "error: " : "note: ") + problem.message()));
        if (dryRun) {
            preview.tensors().forEach(tensor -> report.line("  " + tensor.name() + ": " + gets.apply(tensor)));
        }
        return report;
    }

    /** A problem as JSON shows it. */
    record ProblemShape(boolean fatal, String message) {}
}
