package dev.pollux.finetune.merge;

import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergeProblem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Reads the parameter values of a YAML plan. */
final class SettingReader {

    private static final List<String> TRUE = List.of("true", "yes", "on");
    private static final List<String> FALSE = List.of("false", "no", "off");

    private final List<MergeProblem> findings;

    SettingReader(List<MergeProblem> findings) {
        this.findings = findings;
    }

    /** Reads the map {@code parameters} of {@code owner}. Invalid parameters are reported and left out. */
    Map<String, LayerSchedule> parameters(String owner, @Nullable Object value) {
        Map<String, LayerSchedule> parameters = new LinkedHashMap<>();
        if (value == null) {
            return parameters;
        }
        if (!(value instanceof Map<?, ?> map)) {
            findings.add(MergeProblem.fatal("parameters of " + owner + " must be a map but were " + value));
            return parameters;
        }
        merged(map)
                .forEach((name, item) ->
                        setting(name + " of " + owner, item, true).ifPresent(setting -> parameters.put(name, setting)));
        return parameters;
    }

    private Optional<LayerSchedule> setting(String what, @Nullable Object value, boolean filters) {
        if (value instanceof List<?> list) {
            boolean entries = list.stream().anyMatch(item -> item instanceof Map<?, ?>);
            return entries ? filtered(what, list, filters) : gradient(what, list);
        }
        if (value instanceof Map<?, ?>) {
            return fatal(what + ": an entry with filter and value must be in a list; put a dash before filter");
        }
        OptionalDouble number = number(value);
        return number.isPresent()
                ? Optional.of(LayerSchedule.of(number.getAsDouble()))
                : fatal(what + ": '" + value + "' is not a number");
    }

    private Optional<LayerSchedule> gradient(String what, List<?> list) {
        if (list.isEmpty()) {
            return fatal(what + " is an empty list; give numbers");
        }
        double[] points = new double[list.size()];
        for (int i = 0; i < points.length; i++) {
            OptionalDouble number = number(list.get(i));
            if (number.isEmpty()) {
                return fatal(what + ": '" + list.get(i) + "' is not a number");
            }
            points[i] = number.getAsDouble();
        }
        return Optional.of(LayerSchedule.gradient(points));
    }

    private Optional<LayerSchedule> filtered(String what, List<?> list, boolean allowed) {
        List<LayerSchedule.Entry> entries = new ArrayList<>();
        for (Object item : list) {
            Map<String, Object> entry = item instanceof Map<?, ?> map ? merged(map) : Map.of();
            if (!allowed || !entry.containsKey("value")) {
                return fatal(
                        what + ": every entry of a list of filters must have a value, a number or a list of numbers,"
                                + " but one was " + item);
            }
            for (String key : entry.keySet()) {
                if (!List.of("filter", "value").contains(key)) {
                    findings.add(MergeProblem.notice(what + ": unknown key " + key
                            + Spelling.hint(key, List.of("filter", "value")) + " has no effect"));
                }
            }
            Object filter = entry.get("filter");
            Optional<LayerSchedule> value = setting(what, entry.get("value"), false);
            if (value.isEmpty()) {
                return value;
            }
            entries.add(new LayerSchedule.Entry(filter == null ? "*" : filter.toString(), value.get()));
        }
        return Optional.of(new LayerSchedule.Filtered(entries));
    }

    private Optional<LayerSchedule> fatal(String message) {
        findings.add(MergeProblem.fatal(message));
        return Optional.empty();
    }

    /** Parses a number, which may be text, with {@code _} between digits as in YAML 1.1. True is 1 and false is 0. */
    static OptionalDouble number(@Nullable Object value) {
        if (value instanceof Number number) {
            double finite = number.doubleValue();
            return Double.isFinite(finite) ? OptionalDouble.of(finite) : OptionalDouble.empty();
        }
        String text = String.valueOf(value).strip().replaceAll("(?<=[0-9])_(?=[0-9])", "");
        if (TRUE.contains(text.toLowerCase(Locale.ROOT))) {
            return OptionalDouble.of(1);
        }
        if (FALSE.contains(text.toLowerCase(Locale.ROOT))) {
            return OptionalDouble.of(0);
        }
        if (!text.matches("[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?") || text.length() > 100) {
            return OptionalDouble.empty();
        }
        double parsed = Double.parseDouble(text);
        return Double.isFinite(parsed) ? OptionalDouble.of(parsed) : OptionalDouble.empty();
    }

    /** A map with text keys. The entries of {@code <<} are defaults, as in YAML 1.1. */
    static Map<String, Object> merged(Map<?, ?> map) {
        Map<String, Object> merged = new LinkedHashMap<>();
        Object below = map.get("<<");
        List<?> defaults = below instanceof List<?> list ? list : below == null ? List.of() : List.of(below);
        map.forEach((key, value) -> {
            if (!String.valueOf(key).equals("<<")) {
                merged.put(String.valueOf(key), value);
            }
        });
        for (Object item : defaults) {
            if (item instanceof Map<?, ?> other) {
                merged(other).forEach(merged::putIfAbsent);
            }
        }
        return merged;
    }
}
