package dev.pollux.finetune.merge;

import dev.pollux.merging.MergeProblem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects the problems of a plan. The same problem of many tensors is reported once. */
final class Problems {

    private static final int MAX_SHOWN = 200;

    private record Kind(MergeProblem.Severity severity, String before, String after) {}

    /** Kind of problem → the affected tensors. */
    private final Map<Kind, List<String>> found = new LinkedHashMap<>();

    void fatal(String message) {
        found.putIfAbsent(new Kind(MergeProblem.Severity.FATAL, message, ""), new ArrayList<>());
    }

    void notice(String message) {
        found.putIfAbsent(new Kind(MergeProblem.Severity.NOTICE, message, ""), new ArrayList<>());
    }

    /** Adds a problem with the message {@code before} + tensors + {@code after}. */
    void fatal(String before, String tensor, String after) {
        add(new Kind(MergeProblem.Severity.FATAL, before, after), tensor);
    }

    void notice(String before, String tensor, String after) {
        add(new Kind(MergeProblem.Severity.NOTICE, before, after), tensor);
    }

    void add(MergeProblem problem) {
        found.putIfAbsent(new Kind(problem.severity(), problem.message(), ""), new ArrayList<>());
    }

    private void add(Kind kind, String tensor) {
        found.computeIfAbsent(kind, k -> new ArrayList<>()).add(tensor);
    }

    boolean anyFatal() {
        return fatals() > 0;
    }

    /** The number of kinds of fatal problems. */
    int fatals() {
        return (int) found.keySet().stream()
                .filter(kind -> kind.severity() == MergeProblem.Severity.FATAL)
                .count();
    }

    List<MergeProblem> list() {
        return found.entrySet().stream()
                .limit(MAX_SHOWN)
                .map(entry -> new MergeProblem(
                        entry.getKey().severity(),
                        entry.getKey().before()
                                + tensors(entry.getValue())
                                + entry.getKey().after()))
                .toList();
    }

    private static String tensors(List<String> names) {
        if (names.isEmpty()) {
            return "";
        }
        return names.get(0) + (names.size() > 1 ? " (and " + (names.size() - 1) + " more)" : "");
    }
}
