package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Trainables;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Finds what makes training useless without an error, and says what to do. <em>For one run.</em> */
final class Doctor {

    /** Steps after which a loss that has not moved is reported. */
    private static final int PATIENCE = 10;

    private static final double UNMOVED = 1e-6;

    /** A loss of likelihood of the chosen completions that is reported, relative. */
    private static final double FALL = 0.2;

    private static final int SHOWN = 5;

    /** Rows with one prompt that are reported: at least so many, and more than this share. */
    private static final int LEAST_REPEATED = 5;

    private static final double REPEATED = 0.01;

    private final Objective objective;
    private double firstChosen = Double.NaN;
    private double lastChosen = Double.NaN;
    private int steps;
    private int atLogTwo;
    private int withEqualRewards;

    Doctor(Objective objective) {
        this.objective = objective;
    }

    /**
     * What is wrong with the rows.
     *
     * @param ends the tokens that end a turn
     */
    List<String> rows(PreparedRows rows, List<PreparedRows> evaluation, Set<Integer> ends) {
        List<String> found = new ArrayList<>();
        List<Long> equal = rows.equalPairs();
        if (!equal.isEmpty()) {
            found.add(
                    equal.size() + " pairs have the same chosen and rejected completion, from which nothing is learned;"
                            + " remove rows " + shown(equal));
        }
        if (objective.rows() == Objective.Rows.SEQUENCES && !ends.isEmpty() && !rows.trains(ends)) {
            found.add(
                    "No trained token ends a turn, so the model does not learn to stop; end completions with the model's"
                            + " end token, or train the whole turn of the assistant");
        }
        List<Long> repeated = rows.samePrompt();
        if (repeated.size() >= LEAST_REPEATED && repeated.size() > rows.size() * REPEATED) {
            found.add(repeated.size()
                    + " rows have the same prompt, which weighs as much as all of them; keep some of rows "
                    + shown(repeated));
        }
        for (PreparedRows others : evaluation) {
            long shared = rows.shared(others);
            if (shared > 0) {
                found.add(shared
                        + " evaluation rows are trained, too, so their loss says nothing about other rows; remove them"
                        + " from one of the files");
            }
            long prompts = rows.sharedPrompts(others);
            if (prompts > 0) {
                found.add(prompts + (prompts == 1 ? " evaluation row has" : " evaluation rows have")
                        + " the prompt of a trained row, so the loss says less about other prompts; split the rows by prompt, or by"
                        + " the document that they come from");
            }
        }
        return found;
    }

    private static String shown(List<Long> rows) {
        List<String> first = rows.stream().limit(SHOWN).map(String::valueOf).toList();
        return String.join(", ", first) + (rows.size() > SHOWN ? ", …" : "");
    }

    /** Takes a step into account; returns what is wrong, once. */
    List<String> step(StepRunner.Step step) {
        steps++;
        atLogTwo += objective.needsReference() && Math.abs(step.loss() - Math.log(2)) < UNMOVED ? 1 : 0;
        withEqualRewards += step.metrics().getOrDefault("frac_reward_zero_std", 0.0) > 1 - UNMOVED ? 1 : 0;
        double chosen = step.metrics().getOrDefault("logps/chosen", Double.NaN);
        firstChosen = Double.isNaN(firstChosen) ? chosen : firstChosen;
        lastChosen = chosen;
        if (steps == PATIENCE && atLogTwo == PATIENCE) {
            return List.of(
                    "The loss is ln 2 since the first step, so the model does not differ from its reference; raise the"
                            + " learning rate or beta, and check that chosen and rejected completions differ");
        }
        if (steps == PATIENCE && withEqualRewards == PATIENCE) {
            return List.of("All completions of a prompt had the same reward in each of the first " + PATIENCE
                    + " steps, so nothing is learned; choose rewards that differ between what the model writes, or write more"
                    + " or longer completions");
        }
        return List.of();
    }

    /** What is wrong after the last step. */
    List<String> end(Trainables trainables) {
        List<String> found = new ArrayList<>();
        if (objective.rows() == Objective.Rows.PAIRS && lastChosen < firstChosen - FALL * Math.abs(firstChosen)) {
            found.add("Chosen completions became less likely (log p from " + (float) firstChosen + " to "
                    + (float) lastChosen
                    + "), as rejected ones did; lower the learning rate, raise beta, or add the loss sft");
        }
        if (isUnchanged(trainables)) {
            found.add(
                    "The adapter changes nothing: all second factors are 0; raise the learning rate or the number of steps");
        }
        return found;
    }

    /** Whether an adapter has no effect. */
    static boolean isUnchanged(Trainables trainables) {
        return trainables.modules().stream().allMatch(Doctor::isZero)
                && !trainables.modules().isEmpty()
                && trainables.tensors().isEmpty();
    }

    private static boolean isZero(LoraModule module) {
        for (float value : module.b().values()) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }
}
