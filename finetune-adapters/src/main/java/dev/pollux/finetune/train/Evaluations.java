package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.finetune.train.TrainingReport.Evaluation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** The evaluations of a run, with the values of the parameters at the best one. <em>Confined to one thread.</em> */
final class Evaluations {

    private final boolean keepsBest;
    private Evaluation before = Evaluation.NONE;
    private Best best = new Best(0, Evaluation.NONE, 0);
    private Map<String, float[]> values = Map.of();

    /**
     * The evaluation with the smallest loss.
     *
     * @param step after which it was; 0 for none
     * @param worse the number of evaluations after it
     */
    record Best(long step, Evaluation found, int worse) {}

    Evaluations(boolean keepsBest) {
        this.keepsBest = keepsBest;
    }

    /** Before the first step. */
    Evaluation before() {
        return before;
    }

    void before(Evaluation found) {
        before = found;
    }

    Best best() {
        return best;
    }

    /** The values at the best evaluation by the names of parameters; empty if there is none or only the last ones are wanted. */
    Map<String, float[]> values() {
        return values;
    }

    /** Takes an evaluation into account; one without a finite loss is never the best. */
    void add(long step, Evaluation found, Trainables trainables) {
        double loss = found.loss().orElse(Double.NaN);
        if (best.step() == 0
                ? Double.isFinite(loss)
                : loss < best.found().loss().orElseThrow()) {
            best = new Best(step, found, 0);
            if (keepsBest) {
                values = copy(trainables);
            }
        } else if (!Double.isNaN(loss)) {
            best = new Best(best.step(), best.found(), best.worse() + 1);
        }
    }

    private static Map<String, float[]> copy(Trainables trainables) {
        Map<String, float[]> copy = new LinkedHashMap<>();
        trainables
                .parameters()
                .forEach(parameter ->
                        copy.put(parameter.name(), parameter.values().clone()));
        return copy;
    }

    /** Continues what was saved. */
    void restore(Evaluation first, Best saved, Map<String, float[]> savedValues) {
        before = first;
        best = saved;
        values = savedValues;
    }

    /** Gives the parameters the values of the best evaluation. */
    void useBest(Trainables trainables) {
        for (Parameter parameter : trainables.parameters()) {
            float[] kept = Objects.requireNonNull(values.get(parameter.name()));
            System.arraycopy(kept, 0, parameter.values(), 0, kept.length);
        }
    }
}
