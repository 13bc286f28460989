package dev.pollux.samples.cli;

import dev.pollux.finetune.train.Objective;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Reward models. */
@Command(
        name = "reward",
        description = {
            "Train a reward model: a score of texts, by a new head, that is larger for chosen than for rejected completions.",
            "",
            "A row has chosen, rejected, perhaps prompt, and perhaps margin, a number by which the scores are to differ. The"
                    + " adapter is one of PEFT for sequence classification with one label; its head is in modules_to_save."
                    + " Pairs with more than --max-length tokens are left out.",
            "",
            TrainingCommand.JSON
        },
        footer = "  pollux train reward --base model --data pairs.jsonl --eval others.jsonl --out rewards")
final class RewardCommand extends TrainingCommand {

    @Option(
            names = "--centering",
            order = 5,
            paramLabel = "NUMBER",
            description =
                    "The factor of the squared sum of both scores, which keeps scores around 0. Default: ${DEFAULT-VALUE}.")
    private double centering;

    @Override
    Objective objective() {
        return Objective.reward(centering);
    }

    @Override
    double learningRate() {
        return 1e-4;
    }
}
