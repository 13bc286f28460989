package dev.pollux.samples.cli;

import dev.pollux.finetune.train.DistillationOptions;
import dev.pollux.finetune.train.Objective;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Distillation. */
@Command(
        name = "distill",
        description = {
            "Train a model to predict what a teacher predicts: a larger model with the same tokenizer. Rows are those of sft.",
            "",
            "What the teacher says is computed once and kept in the cache, 4 bytes × its hidden size for a trained token.",
            "",
            TrainingCommand.JSON
        },
        footer = "  pollux train distill --base small --teacher large --data train.jsonl --out adapter")
final class DistillCommand extends TrainingCommand {

    @Option(
            names = "--teacher",
            order = 1,
            required = true,
            paramLabel = "MODEL",
            description = "The model to learn from, named as for --base.")
    private String teacher = "";

    @Option(
            names = "--beta",
            order = 5,
            paramLabel = "NUMBER",
            description = "0 for the forward KL, 1 for the reverse KL, between them the generalized Jensen-Shannon"
                    + " divergence. Default: ${DEFAULT-VALUE}.")
    private double beta = DistillationOptions.DEFAULTS.beta();

    @Option(
            names = "--temperature",
            order = 6,
            paramLabel = "NUMBER",
            description = "By what the logits of both are divided. Default: ${DEFAULT-VALUE}.")
    private double temperature = DistillationOptions.DEFAULTS.temperature();

    @Option(
            names = "--supervised-weight",
            order = 7,
            paramLabel = "SHARE",
            description = "The share of supervised fine-tuning in the loss. Default: ${DEFAULT-VALUE}.")
    private double supervisedWeight = DistillationOptions.DEFAULTS.supervisedWeight();

    @Override
    Objective objective() {
        return Objective.distillation(DistillationOptions.builder()
                .beta(beta)
                .temperature(temperature)
                .supervisedWeight(supervisedWeight)
                .build());
    }

    @Override
    Optional<Path> teacher() {
        return Optional.of(ModelOptions.locate(teacher, this, resources()));
    }
}
