package dev.pollux.finetune.train;

import java.util.List;

/**
 * What a training run will do, found without running the model. <em>Immutable.</em>
 *
 * @param trainable the number of trained parameters
 * @param parameters the number of parameters of the model
 * @param modules the names of the changed matrices
 * @param rows rows that are trained
 * @param cut sequences that are longer than the largest length and are cut
 * @param left rows that are left out, since no trained token is left after they are cut
 * @param tokens tokens of an epoch
 * @param trainedTokens tokens of an epoch that are trained
 * @param longest tokens of the longest sequence
 * @param steps optimizer steps in all
 * @param operations floating-point operations of the products with matrices in all
 * @param memory an estimate of the bytes of direct memory
 * @param notices what is wrong with the rows, with what to do
 */
public record TrainingPlan(
        long trainable,
        long parameters,
        List<String> modules,
        long rows,
        long cut,
        long left,
        long tokens,
        long trainedTokens,
        int longest,
        long steps,
        double operations,
        long memory,
        List<String> notices) {

    public TrainingPlan {
        modules = List.copyOf(modules);
        notices = List.copyOf(notices);
    }
}
