package dev.pollux.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/** Counts values that are not finite, first in the output and then in the inputs it was calculated from. */
public final class NotFinite {

    /**
     * Names of the facts: number of values that rounding made infinite, and number of values that were not finite before.
     */
    private static final String OVERFLOWS = "overflows";

    private static final String RESULT = "notFinite";
    private static final String INPUT = "notFinite of ";

    private static final int INFINITE = 0x7f800000;
    private static final int STEP = 1 << 14;

    private final int limit; // bits of the smallest magnitude that the type rounds to infinity
    private long overflows;
    private long notFinite;

    private NotFinite(DType type) {
        this.limit = switch (type) {
            case F16 -> Float.floatToRawIntBits(65520f); // half a step above 65504
            case BF16 -> 0x7f7f8000;
            default -> INFINITE;
        };
    }

    /** A counter for values that are rounded to {@code type}. */
    static NotFinite of(DType type) {
        return new NotFinite(type);
    }

    /** Counts in values before they are rounded. */
    void take(float[] values, int from, int count) {
        if (!anyFrom(limit, values, from, count)) {
            return;
        }
        for (int i = from; i < from + count; i++) {
            int magnitude = Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE;
            notFinite += magnitude >= INFINITE ? 1 : 0;
            overflows += magnitude >= limit && magnitude < INFINITE ? 1 : 0;
        }
    }

    /** Whether magnitude ≥ {@code limit}: then magnitude + 2³¹ − limit has its highest bit set. */
    private static boolean anyFrom(int limit, float[] values, int from, int count) {
        int shift = Integer.MIN_VALUE - limit;
        int any = 0;
        for (int i = from; i < from + count; i++) {
            any |= (Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE) + shift;
        }
        return any < 0;
    }

    /** Whether one of {@code count} values is NaN or infinite. */
    public static boolean isIn(float[] values, int from, int count) {
        return anyFrom(INFINITE, values, from, count);
    }

    /** Whether anything was counted. */
    public boolean isAny() {
        return overflows + notFinite > 0;
    }

    /** Adds nonzero counts to the facts of a tensor, with the counts in its inputs. */
    public void addTo(TensorSink facts, List<String> models, List<TensorSource> sources, BooleanSupplier stopped) {
        addTo(facts);
        for (int i = 0; i < models.size(); i++) {
            long count = count(sources.get(i), stopped);
            if (count > 0) {
                facts.fact(INPUT + models.get(i), Long.toString(count));
            }
        }
    }

    /** Adds nonzero counts to the facts of a tensor. */
    public void addTo(TensorSink facts) {
        if (overflows > 0) {
            facts.fact(OVERFLOWS, Long.toString(overflows));
        }
        if (notFinite > 0) {
            facts.fact(RESULT, Long.toString(notFinite));
        }
    }

    private static long count(TensorSource source, BooleanSupplier stopped) {
        TensorSource ready = source.ready();
        float[] some = new float[STEP];
        long count = 0;
        for (long first = 0; first < source.elements() && !stopped.getAsBoolean(); first += STEP) {
            int n = (int) Math.min(STEP, source.elements() - first);
            ready.read(first, n, some, 0);
            NotFinite window = new NotFinite(DType.F32);
            window.take(some, 0, n);
            count += window.notFinite;
        }
        return count;
    }

    /**
     * Summarizes the facts of all tensors in sentences.
     *
     * @param written name of the output
     * @param types by tensor, in the order in which they are named
     */
    public static List<String> notices(
            String written, Map<String, DType> types, Map<String, Map<String, String>> facts) {
        Map<String, Found> found = new TreeMap<>();
        Map<DType, Found> overflows = new LinkedHashMap<>();
        types.forEach((tensor, type) -> facts.getOrDefault(tensor, Map.of()).forEach((fact, value) -> {
            if (fact.equals(OVERFLOWS)) {
                overflows.computeIfAbsent(type, other -> new Found()).add(tensor, value);
            } else if (fact.equals(RESULT) || fact.startsWith(INPUT)) {
                found.computeIfAbsent(fact, name -> new Found()).add(tensor, value);
            }
        }));
        List<String> notices = new ArrayList<>();
        found.forEach((fact, where) -> {
            if (fact.startsWith(INPUT)) {
                notices.add("model " + fact.substring(INPUT.length()) + " holds " + where.values
                        + " values that are not finite (NaN or infinite), in " + where + "; download it again");
            }
        });
        if (found.containsKey(RESULT)) {
            Found where = found.get(RESULT);
            notices.add("the " + written + " holds " + where.values
                    + " values that are not finite (NaN or infinite), in " + where + "; it will not compute");
        }
        overflows.forEach((type, where) -> notices.add(where.values + " values of the " + written
                + " are too large for "
                + TypeNames.of(type) + (type == DType.F16 ? ", which ends at 65504," : "") + " and became infinite, in "
                + where + "; write " + (type == DType.F16 ? "bfloat16 or " : "") + "float32"));
        return notices;
    }

    /** Values in tensors. */
    private static final class Found {
        private final List<String> tensors = new ArrayList<>();
        private long values;

        void add(String tensor, String count) {
            tensors.add(tensor);
            values += Long.parseLong(count);
        }

        @Override
        public String toString() {
            return tensors.get(0) + (tensors.size() > 1 ? " (and " + (tensors.size() - 1) + " more)" : "");
        }
    }
}
