package dev.pollux.finetune.train;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The learning rate of each step as a share of the base rate, with the names and formulas of {@code transformers.get_scheduler}.
 * <em>Immutable.</em>
 */
public final class LearningRateSchedule {

    private static final int PLAIN_TIMESCALE = 10_000;

    private final Kind kind;
    private final Map<String, Object> settings;

    /** The kinds of schedules; w warm-up steps, T steps in all, p the share of the steps after the warm-up. */
    public enum Kind {
        /** From 0 to the rate in w steps, then to 0. */
        LINEAR,
        /** Half a cosine after the warm-up; {@code num_cycles} other than 0.5 are waves. */
        COSINE,
        /** {@code num_cycles} half cosines. */
        COSINE_WITH_RESTARTS,
        /** (1 − p)^{@code power} down to {@code lr_end}. */
        POLYNOMIAL,
        /** The rate. */
        CONSTANT,
        /** From 0 to the rate in w steps. */
        CONSTANT_WITH_WARMUP,
        /** 1 / √((t + timescale − w) / timescale); {@code timescale} is w, or 10,000 without a warm-up. */
        INVERSE_SQRT,
        /** Half a cosine down to {@code min_lr} or its share {@code min_lr_rate}. */
        COSINE_WITH_MIN_LR,
        /** The same with a first step above 0, or at {@code warmup_lr_rate}. */
        COSINE_WARMUP_WITH_MIN_LR,
        /** A warm-up, the rate, and {@code num_decay_steps} down to {@code min_lr_ratio}. */
        WARMUP_STABLE_DECAY,
        /** The rate times {@code factor} after {@code patience} evaluations without improvement. */
        REDUCE_LR_ON_PLATEAU,
        /** GreedyLR (arXiv:2512.14527): the rate over {@code factor} while the loss falls, times it while it does not. */
        GREEDY;

        /** Whether the rate depends on losses. */
        public boolean isByLoss() {
            return this == REDUCE_LR_ON_PLATEAU || this == GREEDY;
        }
    }

    private LearningRateSchedule(Kind kind, Map<String, ?> settings) {
        this.kind = kind;
        this.settings = Map.copyOf(settings);
    }

    /** The default of Hugging Face's trainers. */
    public static LearningRateSchedule linear() {
        return new LearningRateSchedule(Kind.LINEAR, Map.of());
    }

    /** Half a cosine. */
    public static LearningRateSchedule cosine() {
        return new LearningRateSchedule(Kind.COSINE, Map.of());
    }

    /** No change. */
    public static LearningRateSchedule constant() {
        return new LearningRateSchedule(Kind.CONSTANT, Map.of());
    }

    /**
     * A schedule by its name in transformers.
     *
     * @param name such as {@code cosine_with_min_lr}
     * @param settings its settings by their names in transformers: numbers, or texts for types
     * @throws IllegalArgumentException if there is no such schedule
     */
    public static LearningRateSchedule named(String name, Map<String, ?> settings) {
        for (Kind kind : Kind.values()) {
            if (kind.name().equalsIgnoreCase(name)) {
                return new LearningRateSchedule(kind, settings);
            }
        }
        StringBuilder known = new StringBuilder();
        for (Kind kind : Kind.values()) {
            known.append(known.length() == 0 ? "" : ", ").append(kind.name().toLowerCase(Locale.ROOT));
        }
        throw new IllegalArgumentException("the schedule must be one of " + known + " but was " + name);
    }

    /** The kind. */
    public Kind kind() {
        return kind;
    }

    /** The settings by name. */
    public Map<String, Object> settings() {
        return settings;
    }

    double number(String name, double otherwise) {
        return settings.get(name) instanceof Number number ? number.doubleValue() : otherwise;
    }

    private String text(String name, String otherwise) {
        return settings.get(name) instanceof String text ? text : otherwise;
    }

    /**
     * The share of the base rate in a step, for kinds that do not depend on losses.
     *
     * @param step from 0
     * @param warmUp steps of the warm-up
     * @param total steps in all
     * @param base the base rate
     */
    double share(long step, long warmUp, long total, double base) {
        double progress = (double) (step - warmUp) / Math.max(1, total - warmUp);
        double least = settings.containsKey("min_lr") ? number("min_lr", 0) / base : number("min_lr_rate", 0);
        boolean plainWarmUp = switch (kind) {
            case CONSTANT, REDUCE_LR_ON_PLATEAU, GREEDY, COSINE_WARMUP_WITH_MIN_LR, WARMUP_STABLE_DECAY -> false;
            default -> true;
        };
        if (plainWarmUp && step < warmUp) {
            return (double) step / Math.max(1, warmUp);
        }
        return switch (kind) {
            case COSINE_WARMUP_WITH_MIN_LR -> withFirstStep(step, warmUp, total, least);
            case WARMUP_STABLE_DECAY -> stable(step, warmUp, total);
            case LINEAR -> Math.max(0, (double) (total - step) / Math.max(1, total - warmUp));
            case COSINE -> Math.max(0, halfCosine(number("num_cycles", 0.5) * 2 * progress));
            case COSINE_WITH_RESTARTS -> progress >= 1 ? 0 : halfCosine(number("num_cycles", 1) * progress % 1);
            case POLYNOMIAL -> polynomial(step, warmUp, total, base);
            case INVERSE_SQRT -> inverseRoot(step, warmUp);
            case COSINE_WITH_MIN_LR ->
                Math.max(0, halfCosine(number("num_cycles", 0.5) * 2 * progress) * (1 - least) + least);
            default -> 1;
        };
    }

    private static double halfCosine(double x) {
        return 0.5 * (1 + Math.cos(Math.PI * x));
    }

    private double polynomial(long step, long warmUp, long total, double base) {
        double end = number("lr_end", 1e-7);
        if (step > total) {
            return end / base;
        }
        double left = 1 - (double) (step - warmUp) / (total - warmUp);
        return ((base - end) * Math.pow(left, number("power", 1)) + end) / base;
    }

    private double inverseRoot(long step, long warmUp) {
        double timescale = number("timescale", warmUp > 0 ? (double) warmUp : PLAIN_TIMESCALE);
        return 1 / Math.sqrt((step + timescale - warmUp) / timescale);
    }

    private double withFirstStep(long step, long warmUp, long total, double least) {
        if (step < warmUp) {
            double first = number("warmup_lr_rate", Double.NaN);
            return Double.isNaN(first)
                    ? (step + 1.0) / Math.max(1, warmUp)
                    : first + (1 - first) * step / Math.max(1, warmUp - 1);
        }
        double progress = (step - warmUp + 1.0) / Math.max(1, total - warmUp);
        return Math.max(0, halfCosine(number("num_cycles", 0.5) * 2 * progress) * (1 - least) + least);
    }

    private double stable(long step, long warmUp, long total) {
        long decay = (long) number("num_decay_steps", 0);
        long stable = (long) number("num_stable_steps", (double) (total - warmUp - decay));
        double least = number("min_lr_ratio", 0);
        if (step < warmUp) {
            double p = (double) step / Math.max(1, warmUp);
            return Math.max(0, shaped(text("warmup_type", "linear"), p, true) * (1 - least) + least);
        }
        if (step < warmUp + stable) {
            return 1;
        }
        if (step >= warmUp + stable + decay) {
            return least;
        }
        double p = (double) (step - warmUp - stable) / Math.max(1, decay);
        return Math.max(0, shaped(text("decay_type", "cosine"), p, false) * (1 - least) + least);
    }

    private double shaped(String type, double p, boolean rising) {
        return switch (type) {
            case "linear" -> rising ? p : 1 - p;
            case "cosine" -> rising ? 0.5 * (1 - Math.cos(Math.PI * p)) : halfCosine(number("num_cycles", 0.5) * 2 * p);
            case "1-sqrt" -> rising ? 1 - Math.sqrt(1 - p) : 1 - Math.sqrt(p);
            default ->
                throw new IllegalArgumentException(
                        "the type of a schedule must be linear, cosine or 1-sqrt but was " + type);
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LearningRateSchedule schedule
                && kind == schedule.kind
                && settings.equals(schedule.settings);
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, settings);
    }

    /** For example {@code cosine{num_cycles=1.5}}. */
    @Override
    public String toString() {
        String name = kind.name().toLowerCase(Locale.ROOT);
        return settings.isEmpty() ? name : name + new TreeMap<>(settings);
    }
}
