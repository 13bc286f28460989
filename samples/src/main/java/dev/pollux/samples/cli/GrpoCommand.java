package dev.pollux.samples.cli;

import dev.pollux.finetune.train.GrpoOptions;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.RewardFunction;
import dev.pollux.finetune.train.RewardModel;
import dev.pollux.finetune.train.Rewards;
import dev.pollux.inference.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Trains on rewards of what the model writes. */
@Command(
        name = "grpo",
        description = {
            "Train on rewards of what the model writes (group relative policy optimization): of several completions of a prompt,"
                    + " those with a larger reward become more likely.",
            "",
            "A row has a prompt, a text or messages, and perhaps answers, a list; or question, answers and perhaps context.",
            "",
            "Rewards, whose weighted sum counts: match:REGEX, 1 where it is found; contains, 1 where an answer of the row is in the"
                    + " completion by whole words; within:TOKENS, 1 for one that ends within so many tokens, falling to 0 at twice as"
                    + " many; model:ADAPTER, the score of a reward model (see 'pollux train reward').",
            "",
            TrainingCommand.JSON
        },
        footer = {
            "  pollux train grpo --base model --data questions.jsonl --reward contains --reward within:40 --out adapter",
            "  pollux train grpo --base model --data prompts.jsonl --reward model:rewards --out adapter --max-steps 50"
        })
final class GrpoCommand extends TrainingCommand {

    @Option(
            names = "--reward",
            order = 2,
            required = true,
            paramLabel = "REWARD",
            description = "match:REGEX, contains, within:TOKENS or model:ADAPTER; may be repeated.")
    private List<String> rewards = List.of();

    @Option(
            names = "--reward-weight",
            order = 5,
            paramLabel = "NUMBER",
            description = "The weight of a reward, one for each, in order. Default: 1.")
    private List<Double> weights = List.of();

    @Option(
            names = "--reward-base",
            order = 5,
            paramLabel = "MODEL",
            description = "The model of the adapter of model:ADAPTER. Default: the one in training.")
    private @Nullable String rewardBase;

    @Option(
            names = "--completions",
            order = 6,
            paramLabel = "N",
            description = "Completions of a prompt. Default: ${DEFAULT-VALUE}.")
    private int completions = GrpoOptions.DEFAULTS.completions();

    @Option(
            names = "--max-tokens",
            order = 6,
            paramLabel = "N",
            description = "Most tokens of a completion. Default: ${DEFAULT-VALUE}.")
    private int maxTokens = GrpoOptions.DEFAULTS.maxTokens();

    @Option(
            names = "--temperature",
            order = 6,
            paramLabel = "NUMBER",
            description = "The temperature of completions. Default: ${DEFAULT-VALUE}.")
    private double temperature = GrpoOptions.DEFAULTS.temperature();

    @Option(
            names = "--beta",
            order = 7,
            paramLabel = "NUMBER",
            description = "The factor of the divergence from the reference. Default: ${DEFAULT-VALUE}.")
    private double beta = GrpoOptions.DEFAULTS.beta();

    @Option(
            names = "--loss",
            order = 7,
            paramLabel = "NAME",
            description = "The loss: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private GrpoOptions.Loss loss = GrpoOptions.DEFAULTS.loss();

    private final List<AutoCloseable> opened = new ArrayList<>();

    @Override
    Objective objective() {
        if (weights.size() > rewards.size()) {
            throw usage("--reward-weight must be given at most once for each --reward, " + rewards.size()
                    + " times, but was given " + weights.size() + " times");
        }
        GrpoOptions options = GrpoOptions.builder()
                .completions(completions)
                .maxTokens(maxTokens)
                .temperature(temperature)
                .beta(beta)
                .loss(loss)
                .build();
        Map<String, RewardFunction> functions = new LinkedHashMap<>();
        Map<String, Double> factors = new LinkedHashMap<>();
        for (int i = 0; i < rewards.size(); i++) {
            String name = rewards.get(i);
            if (functions.put(name, reward(name)) != null) {
                throw usage("--reward " + name + " is given twice; give it once, with a weight");
            }
            factors.put(name, i < weights.size() ? weights.get(i) : 1.0);
        }
        return Objective.grpo(Rewards.weighted(functions, factors), options);
    }

    private RewardFunction reward(String given) {
        int colon = given.indexOf(':');
        String name = colon < 0 ? given : given.substring(0, colon);
        String value = colon < 0 ? "" : given.substring(colon + 1);
        boolean known = List.of("contains", "match", "within", "model").contains(name);
        if (!known || value.isEmpty() != name.equals("contains")) {
            throw usage("--reward must be match:REGEX, contains, within:TOKENS or model:ADAPTER but was " + given);
        }
        return switch (name) {
            case "contains" -> Rewards.containingAnAnswer();
            case "match" -> Rewards.matching(pattern(value));
            case "within" -> Rewards.within(tokens(value));
            default -> model(Path.of(value));
        };
    }

    private Pattern pattern(String regex) {
        try {
            return Pattern.compile(regex);
        } catch (PatternSyntaxException e) {
            throw usage(
                    "--reward match: must have a regular expression but " + regex + " is none: " + e.getDescription());
        }
    }

    private int tokens(String number) {
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException e) {
            throw usage("--reward within: must have a number of tokens but had " + number);
        }
    }

    private RewardFunction model(Path adapter) {
        GivenPath.adapters(List.of(adapter));
        Path base = rewardBase == null ? base() : ModelOptions.locate(rewardBase, this, resources());
        Checkpoint checkpoint = Checkpoint.open(base);
        opened.add(0, checkpoint);
        RewardModel model = RewardModel.open(checkpoint, adapter, options());
        opened.add(0, model);
        return model;
    }

    @Override
    void release() {
        for (AutoCloseable one : opened) {
            try {
                one.close();
            } catch (Exception e) {
                throw new IllegalStateException("a model must close", e);
            }
        }
    }

    @Override
    int batchSize() {
        return 1;
    }

    @Override
    double learningRate() {
        return 1e-5;
    }
}
