package dev.pollux.samples.cli;

import dev.pollux.finetune.train.CpoOptions;
import dev.pollux.finetune.train.DpoOptions;
import dev.pollux.finetune.train.EncoderObjective;
import dev.pollux.finetune.train.KtoOptions;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.finetune.train.TrainingRecipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Unmatched;

/** Trains adapters. */
@Command(
        name = "train",
        description = {
            "Train a LoRA adapter of a model on this machine's processor.",
            "",
            "sft trains on texts, conversations or prompts with completions; dpo, orpo, cpo and simpo on pairs of a chosen and a"
                    + " rejected completion; kto and bco on completions with a label; reward a score of texts from pairs; distill the predictions of a larger model; grpo on rewards of what the model writes; embedder and reranker on queries with documents. explain shows which tokens of a row are"
                    + " trained, run takes all options from a YAML file.",
            "",
            "--json: see 'pollux train sft --help' and the others."
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {
            "  pollux train sft --base model --data train.jsonl --eval val.jsonl --out adapter",
            "  pollux train dpo --base model --adapter adapter --data pairs.jsonl --out aligned",
            "  pollux train embedder --data queries.jsonl --out embedder",
            "  pollux train explain --base model --data train.jsonl --rows 3",
            "  pollux train run recipe.yml --out adapter"
        },
        subcommands = {
            TrainCommand.Sft.class,
            TrainCommand.Dpo.class,
            TrainCommand.Orpo.class,
            TrainCommand.Cpo.class,
            TrainCommand.Simpo.class,
            TrainCommand.Kto.class,
            TrainCommand.Bco.class,
            RewardCommand.class,
            DistillCommand.class,
            GrpoCommand.class,
            TrainCommand.Embedder.class,
            TrainCommand.Reranker.class,
            ExplainCommand.class,
            TrainCommand.Run.class
        })
final class TrainCommand extends PolluxCommand {

    @Override
    int execute() {
        throw usage(
                "say what to do: sft, dpo, orpo, cpo, simpo, kto, bco, reward, distill, grpo, embedder, reranker, explain or run");
    }

    /** Supervised fine-tuning. */
    @Command(
            name = "sft",
            description = {"Train on texts, conversations, or prompts with completions.", "", TrainingCommand.JSON},
            footer = "  pollux train sft --base model --data train.jsonl --out adapter --rank 16")
    static final class Sft extends TrainingCommand {

        @Option(
                names = "--dft",
                order = 5,
                description = "Weight each token by its probability (dynamic fine-tuning, arXiv:2508.05629).")
        private boolean dynamic;

        @Override
        Objective objective() {
            return dynamic ? Objective.dft() : Objective.sft();
        }
    }

    /** Direct preference optimization. */
    @Command(
            name = "dpo",
            description = {"Train on pairs of a chosen and a rejected completion.", "", TrainingCommand.JSON},
            footer = "  pollux train dpo --base model --adapter adapter --data pairs.jsonl --out aligned")
    static final class Dpo extends TrainingCommand {

        @Option(
                names = "--beta",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of rewards. Default: ${DEFAULT-VALUE}.")
        private double beta = DpoOptions.DEFAULTS.beta();

        @Option(
                names = "--loss",
                order = 6,
                paramLabel = "NAME",
                description = "The loss: ${COMPLETION-CANDIDATES}; may be repeated. Default: sigmoid.")
        private List<DpoOptions.Loss> losses = List.of();

        @Option(
                names = "--label-smoothing",
                order = 7,
                paramLabel = "SHARE",
                description = "The share of pairs taken to be the wrong way round. Default: ${DEFAULT-VALUE}.")
        private double labelSmoothing = DpoOptions.DEFAULTS.labelSmoothing();

        @Override
        Objective objective() {
            DpoOptions.Builder options = DpoOptions.builder().beta(beta).labelSmoothing(labelSmoothing);
            return Objective.dpo((losses.isEmpty() ? options : options.losses(losses)).build());
        }
    }

    /** Odds ratio preference optimization. */
    @Command(
            name = "orpo",
            description = {
                "Train on pairs, without a reference, with the likelihood of the chosen.",
                "",
                TrainingCommand.JSON
            },
            footer = "  pollux train orpo --base model --data pairs.jsonl --out aligned")
    static final class Orpo extends TrainingCommand {

        @Option(
                names = "--beta",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of the odds ratio. Default: ${DEFAULT-VALUE}.")
        private double beta = 0.1;

        @Override
        Objective objective() {
            return Objective.orpo(beta);
        }
    }

    /** Contrastive preference optimization. */
    @Command(
            name = "cpo",
            description = {"Train on pairs, without a reference.", "", TrainingCommand.JSON},
            footer = "  pollux train cpo --base model --data pairs.jsonl --out aligned")
    static final class Cpo extends TrainingCommand {

        @Option(
                names = "--beta",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of rewards. Default: ${DEFAULT-VALUE}.")
        private double beta = CpoOptions.DEFAULTS.beta();

        @Override
        Objective objective() {
            return Objective.cpo(CpoOptions.builder().beta(beta).build());
        }
    }

    /** SimPO. */
    @Command(
            name = "simpo",
            description = {"Train on pairs, without a reference, by means over tokens.", "", TrainingCommand.JSON},
            footer = "  pollux train simpo --base model --data pairs.jsonl --out aligned")
    static final class Simpo extends TrainingCommand {

        @Option(
                names = "--beta",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of rewards. Default: ${DEFAULT-VALUE}.")
        private double beta = 2;

        @Option(
                names = "--gamma",
                order = 6,
                paramLabel = "NUMBER",
                description = "The margin. Default: ${DEFAULT-VALUE}.")
        private double gamma = CpoOptions.DEFAULTS.gamma();

        @Override
        Objective objective() {
            return Objective.cpo(CpoOptions.builder()
                    .loss(CpoOptions.Loss.SIMPO)
                    .beta(beta)
                    .gamma(gamma)
                    .likelihoodWeight(0)
                    .build());
        }
    }

    /** Kahneman-Tversky optimization. */
    @Command(
            name = "kto",
            description = {"Train on completions that are labelled as desirable or not.", "", TrainingCommand.JSON},
            footer = "  pollux train kto --base model --data labelled.jsonl --out aligned")
    static final class Kto extends TrainingCommand {

        @Option(
                names = "--beta",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of rewards. Default: ${DEFAULT-VALUE}.")
        private double beta = KtoOptions.DEFAULTS.beta();

        @Override
        Objective objective() {
            return Objective.kto(KtoOptions.builder().beta(beta).build());
        }
    }

    /** Binary classifier optimization. */
    @Command(
            name = "bco",
            description = {"Train on labelled completions as a classifier does.", "", TrainingCommand.JSON},
            footer = "  pollux train bco --base model --data labelled.jsonl --out aligned")
    static final class Bco extends TrainingCommand {

        @Option(
                names = "--beta",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of rewards. Default: ${DEFAULT-VALUE}.")
        private double beta = 0.1;

        @Override
        Objective objective() {
            return Objective.bco(beta);
        }
    }

    /** Embedders. */
    @Command(
            name = "embedder",
            description = {
                "Train an embedder: each query is to be nearer to its positive than to the other documents of its batch.",
                "",
                EncoderTrainingCommand.ROWS,
                "",
                EncoderTrainingCommand.JSON
            },
            footer = {
                "  pollux train embedder --data queries.jsonl --eval others.jsonl --out embedder",
                "  pollux search \"What is new?\" --docs docs --embedder embedder"
            })
    static final class Embedder extends EncoderTrainingCommand {

        @Option(
                names = "--scale",
                order = 5,
                paramLabel = "NUMBER",
                description = "The factor of cosines. Default: ${DEFAULT-VALUE}.")
        private double scale = 20;

        @Override
        EncoderObjective objective() {
            return new EncoderObjective.Contrastive(scale);
        }

        @Override
        int batchSize() {
            return 32;
        }
    }

    /** Rerankers. */
    @Command(
            name = "reranker",
            description = {
                "Train a reranker, a cross-encoder with one score, from one or from an encoder without a head.",
                "",
                EncoderTrainingCommand.ROWS,
                "",
                EncoderTrainingCommand.JSON
            },
            footer = "  pollux train reranker --data judged.jsonl --eval others.jsonl --out reranker")
    static final class Reranker extends EncoderTrainingCommand {

        @Option(
                names = "--positive-weight",
                order = 5,
                paramLabel = "NUMBER",
                description = "The weight of relevant documents in the loss. Default: ${DEFAULT-VALUE}.")
        private double positiveWeight = 1;

        @Override
        EncoderObjective objective() {
            return new EncoderObjective.BinaryCrossEntropy(positiveWeight);
        }

        @Override
        int batchSize() {
            return TrainingOptions.DEFAULTS.batchSize();
        }
    }

    /** Runs a recipe. */
    @Command(
            name = "run",
            description = {
                "Train as a YAML file says: 'objective: sft' and options by their names, such as 'learning-rate: 2e-4'."
                        + " Options of the command line come after those of the file and replace them.",
                "",
                "--json: see 'pollux train sft --help'."
            },
            footer = "  pollux train run recipe.yml --data mine.jsonl --out adapter")
    static final class Run extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "RECIPE", description = "The YAML file.")
        private @Nullable Path recipe;

        @Unmatched
        private List<String> more = new ArrayList<>();

        @Override
        int execute() {
            Path file = recipe == null ? Path.of("") : recipe;
            GivenPath.file("RECIPE", file, this);
            TrainingRecipe read = TrainingRecipe.read(file);
            List<String> arguments = new ArrayList<>(List.of("train", read.objective()));
            arguments.addAll(read.arguments());
            arguments.addAll(more);
            if (json()) {
                arguments.add("--json");
            }
            return again(arguments);
        }
    }
}
