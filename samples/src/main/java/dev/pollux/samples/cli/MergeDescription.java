package dev.pollux.samples.cli;

import dev.pollux.merging.MergePreview;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a merge will do, as its commands show it. */
final class MergeDescription {

    private static final Pattern LAYER = Pattern.compile("(?<=\\.)[0-9]{1,6}(?=\\.)");

    private MergeDescription() {}

    /** @param gets what a line of a dry run says of a tensor and its sources, which are shortened */
    static Report of(
            Path plan,
            Path target,
            MergePreview preview,
            boolean dryRun,
            BiFunction<MergePreview.PlannedTensor, List<String>, String> gets) {
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
            lines(preview.tensors(), gets).forEach(report::line);
        }
        return report;
    }

    /** Tensors of several layers that get the same share a line. */
    private static List<String> lines(
            List<MergePreview.PlannedTensor> tensors,
            BiFunction<MergePreview.PlannedTensor, List<String>, String> gets) {
        Map<Line, NavigableSet<Integer>> layers = new LinkedHashMap<>();
        for (MergePreview.PlannedTensor tensor : tensors) {
            String name = tensor.name();
            Matcher layer = LAYER.matcher(name);
            OptionalInt number = layer.find() ? OptionalInt.of(Integer.parseInt(layer.group())) : OptionalInt.empty();
            List<String> sources = tensor.sources().stream()
                    .map(source -> shown(source, name, number))
                    .toList();
            int from = number.isPresent() ? layer.start() : name.length();
            int to = number.isPresent() ? layer.end() : name.length();
            Line line = new Line(name.substring(0, from), name.substring(to), gets.apply(tensor, sources));
            NavigableSet<Integer> numbers = layers.computeIfAbsent(line, key -> new TreeSet<>());
            number.ifPresent(numbers::add);
        }
        List<String> lines = new ArrayList<>();
        layers.forEach((line, numbers) ->
                lines.add("  " + line.before() + ranges(numbers) + line.after() + ": " + line.gets()));
        return lines;
    }

    /** A source by its model alone if its tensor has the same name; else with * for the layer, *-10 for the tenth before it. */
    private static String shown(String source, String name, OptionalInt layer) {
        if (source.endsWith(":" + name)) {
            return source.substring(0, source.length() - name.length() - 1);
        }
        int tensor = source.lastIndexOf(':') + 1;
        Matcher own = LAYER.matcher(source).region(tensor, source.length()).useTransparentBounds(true);
        if (layer.isEmpty() || !own.find()) {
            return source;
        }
        int off = Integer.parseInt(own.group()) - layer.getAsInt();
        String relative = off == 0 ? "*" : "*" + (off > 0 ? "+" : "") + off;
        return source.substring(0, own.start()) + relative + source.substring(own.end());
    }

    /** Such as 7, or {0-3,5}. */
    private static String ranges(NavigableSet<Integer> numbers) {
        List<String> ranges = new ArrayList<>();
        for (Integer from = numbers.isEmpty() ? null : numbers.first(); from != null; ) {
            int to = from;
            while (numbers.contains(to + 1)) {
                to++;
            }
            ranges.add(from == to ? from.toString() : from + "-" + to);
            from = numbers.higher(to);
        }
        String joined = String.join(",", ranges);
        return numbers.size() < 2 ? joined : "{" + joined + "}";
    }

    /** Of tensors whose names differ in the layer alone. */
    private record Line(String before, String after, String gets) {}

    /** A problem as JSON shows it. */
    record ProblemShape(boolean fatal, String message) {}
}
