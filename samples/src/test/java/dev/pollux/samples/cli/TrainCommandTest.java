package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training at the command line. */
class TrainCommandTest {

    @TempDir
    Path temp;

    private String model = "";
    private String rows = "";
    private String pairs = "";

    @BeforeEach
    void write() throws IOException {
        model = temp.resolve("model").toString();
        TinyDecoder.llama(1).write(temp.resolve("model"));
        rows = Files.writeString(temp.resolve("rows.jsonl"), """
                        {"prompt": "the quick", "completion": " brown fox"}
                        {"prompt": "the lazy", "completion": " dog"}
                        """).toString();
        pairs = Files.writeString(temp.resolve("pairs.jsonl"), """
                        {"prompt": "the quick", "chosen": " brown fox", "rejected": " dog"}
                        """).toString();
    }

    private static Run run(String... words) {
        return Run.of(words);
    }

    private String out(String name) {
        return temp.resolve(name).toString();
    }

    @Test
    void anAdapterIsTrainedAndAlignedFurther() {
        Run sft = run(
                "train",
                "sft",
                "--quiet",
                "--json",
                "--base",
                model,
                "--data",
                rows,
                "--eval",
                rows,
                "--out",
                out("a"),
                "--epochs",
                "5",
                "--rank",
                "2",
                "--learning-rate",
                "0.01",
                "--batch",
                "2",
                "--threads",
                "1");
        assertThat(sft.code()).as(sft.err()).isZero();
        List<String> lines = sft.out().lines().toList();
        assertThat(lines).hasSize(6);
        assertThat(JsonNode.parse(lines.get(0)).propertyNames())
                .contains("step", "loss", "grad_norm", "learning_rate", "num_tokens", "mean_token_accuracy");
        JsonNode end = JsonNode.parse(lines.get(5));
        assertThat(end.propertyNames())
                .containsExactly(
                        "steps",
                        "keptStep",
                        "tokens",
                        "seconds",
                        "trainLoss",
                        "evalLoss",
                        "rewardAccuracy",
                        "tokensPerSecond",
                        "peakMemoryBytes",
                        "adapter");
        assertThat(end.path("evalLoss").path("after").asDouble(0))
                .isLessThan(end.path("evalLoss").path("before").asDouble(0));
        try (LoraAdapter adapter = LoraAdapter.load(temp.resolve("a"))) {
            assertThat(adapter.targets()).isNotEmpty();
        }
        Run dpo = run(
                "train",
                "dpo",
                "--quiet",
                "--base",
                model,
                "--adapter",
                out("a"),
                "--data",
                pairs,
                "--out",
                out("b"),
                "--max-steps",
                "2",
                "--tensorboard",
                out("runs"),
                "--report",
                out("report.html"),
                "--threads",
                "1");
        assertThat(temp.resolve("runs")).isNotEmptyDirectory();
        assertThat(temp.resolve("report.html")).content().contains("<mark>", "<figcaption>loss</figcaption>");
        assertThat(dpo.code()).as(dpo.err()).isZero();
        assertThat(temp.resolve("b/adapter_model.safetensors")).isRegularFile();
    }

    @Test
    void aRewardModelIsTrainedFromPairs() throws IOException {
        Path recipe = Files.writeString(
                temp.resolve("reward.yml"),
                "objective: reward\nbase: " + model + "\ndata: " + pairs + "\neval: " + pairs
                        + "\nrank: 2\nepochs: 5\nlearning-rate: 0.01\ncentering: 0.01\nquiet: true\n");
        Run done = run("train", "run", recipe.toString(), "--json", "--out", out("rewards"), "--threads", "1");
        assertThat(done.code()).as(done.err()).isZero();
        List<String> lines = done.out().lines().toList();
        assertThat(JsonNode.parse(lines.get(0)).propertyNames()).contains("accuracy", "margin", "mean_reward");
        JsonNode end = JsonNode.parse(lines.get(lines.size() - 1));
        assertThat(end.path("rewardAccuracy").path("after").asDouble(0)).isEqualTo(1);
        assertThat(temp.resolve("rewards/adapter_config.json")).content().contains("SEQ_CLS");
    }

    @Test
    void aModelLearnsFromATeacher() {
        TinyDecoder.llama(2).write(temp.resolve("teacher"));
        String[] words = {
            "train",
            "distill",
            "--quiet",
            "--json",
            "--base",
            model,
            "--teacher",
            out("teacher"),
            "--data",
            rows,
            "--eval",
            rows,
            "--out",
            out("a"),
            "--epochs",
            "5",
            "--rank",
            "2",
            "--learning-rate",
            "0.01",
            "--supervised-weight",
            "0.5",
            "--cache",
            out("cache"),
            "--threads",
            "1"
        };
        Run done = run(words);
        assertThat(done.code()).as(done.err()).isZero();
        List<String> lines = done.out().lines().toList();
        assertThat(JsonNode.parse(lines.get(0)).propertyNames()).contains("divergence", "nll_loss");
        JsonNode end = JsonNode.parse(lines.get(lines.size() - 1));
        assertThat(end.path("evalLoss").path("after").asDouble(9))
                .isLessThan(end.path("evalLoss").path("before").asDouble(0));
        assertThat(temp.resolve("cache/teachers")).isNotEmptyDirectory();
        Run missing = run("train", "distill", "--base", model, "--data", rows, "--out", out("b"));
        assertThat(missing.code()).isEqualTo(2);
        assertThat(missing.err()).contains("--teacher is missing; give --teacher MODEL");
    }

    @Test
    void aModelIsTrainedByRewardsOfWhatItWrites() throws IOException {
        Run scores = run(
                "train",
                "reward",
                "--quiet",
                "--base",
                model,
                "--data",
                pairs,
                "--out",
                out("rewards"),
                "--rank",
                "2",
                "--threads",
                "1");
        assertThat(scores.code()).as(scores.err()).isZero();
        Path prompts = Files.writeString(temp.resolve("prompts.jsonl"), """
                        {"prompt": "the quick", "answers": ["brown fox"]}
                        {"prompt": "the lazy", "answers": "dog"}
                        """);
        Path recipe = Files.writeString(
                temp.resolve("grpo.yml"),
                "objective: grpo\nbase: " + model + "\ndata: " + prompts + "\nrank: 2\ncompletions: 4\nmax-tokens: 6\n"
                        + "reward:\n  - \"match:[aeiou]\"\n  - contains\n  - within:4\n  - model:" + out("rewards")
                        + "\nreward-weight: [1, 2]\nquiet: true\n");
        Run done = run("train", "run", recipe.toString(), "--json", "--out", out("a"), "--threads", "1");
        assertThat(done.code()).as(done.err()).isZero();
        List<String> lines = done.out().lines().toList();
        assertThat(lines).hasSize(3);
        JsonNode step = JsonNode.parse(lines.get(0));
        assertThat(step.propertyNames())
                .contains("reward", "rewards/contains/mean", "rewards/within:4/mean", "rewards/match:[aeiou]/mean");
        double sum = step.path("rewards/match:[aeiou]/mean").asDouble(0)
                + 2 * step.path("rewards/contains/mean").asDouble(0)
                + step.path("rewards/within:4/mean").asDouble(0)
                + step.path("rewards/model:" + out("rewards") + "/mean").asDouble(0);
        assertThat(step.path("reward").asDouble(-9)).isCloseTo(sum, within(1e-9));
        assertThat(temp.resolve("a/adapter_model.safetensors")).isRegularFile();
        for (String wrong : List.of("contain", "match", "contains:x", "within:few", "match:(")) {
            Run refused = run(
                    "train",
                    "grpo",
                    "--base",
                    model,
                    "--data",
                    prompts.toString(),
                    "--out",
                    out("b"),
                    "--reward",
                    wrong);
            assertThat(refused.code()).isEqualTo(2);
            assertThat(refused.err())
                    .contains("--reward ")
                    .contains(wrong.replace("match:", "").replace("within:", ""));
        }
        Run noAnswers = run(
                "train",
                "grpo",
                "--quiet",
                "--base",
                model,
                "--data",
                Files.writeString(temp.resolve("p.jsonl"), "{\"prompt\": \"the\"}\n")
                        .toString(),
                "--out",
                out("b"),
                "--reward",
                "contains",
                "--max-tokens",
                "2",
                "--threads",
                "1");
        assertThat(noAnswers.code()).isNotZero();
        assertThat(noAnswers.err())
                .contains("row 1 has no answers, which its completions are to contain; correct or remove the row");
    }

    @Test
    void aDryRunTrainsNothing() {
        Run done = run("train", "sft", "--dry-run", "--base", model, "--data", rows);
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).containsPattern("trainable +[0-9,]+ parameters").containsPattern("rows +2");
    }

    @Test
    void explainMarksTheTrainedTokens() {
        Run done = run("train", "explain", "--base", model, "--data", rows, "--rows", "1");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).contains("row 1, ").contains("⟦").contains("⟧");
        Run json = run("train", "explain", "--json", "--base", model, "--data", pairs);
        assertThat(JsonNode.parse(json.out()).path("rows").size()).isEqualTo(2);
    }

    @Test
    void aRecipeHoldsTheOptions() throws IOException {
        Path recipe = Files.writeString(
                temp.resolve("recipe.yml"),
                "objective: sft\nbase: " + model + "\ndata: " + rows + "\nrank: 2\nmax-steps: 1\nquiet: true\n");
        Run done = run("train", "run", recipe.toString(), "--out", out("a"), "--threads", "1");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(temp.resolve("a/adapter_model.safetensors")).isRegularFile();
        Files.writeString(recipe, "objective: sft\nLearning Rate: 1\n");
        Run wrong = run("train", "run", recipe.toString());
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err())
                .contains("the option 'Learning Rate' must be named as on the command line, such as learning-rate");
    }

    @Test
    void mistakesAreNamedBeforeAnythingIsRead() {
        Run noOut = run("train", "sft", "--base", model, "--data", rows);
        assertThat(noOut.code()).isEqualTo(2);
        assertThat(noOut.err()).contains("Missing required option: '--out=FOLDER'");
        Run method = run("train", "sft", "--base", model, "--data", rows, "--out", out("a"), "--method", "lorra");
        assertThat(method.code()).isEqualTo(2);
        assertThat(method.err()).contains("--method must be lora, rslora, dora, pissa or olora but was lorra");
        Run rank = run("train", "sft", "--base", model, "--data", rows, "--out", out("a"), "--rank", "0");
        assertThat(rank.code()).isEqualTo(2);
        assertThat(rank.err()).contains("--rank must be in [1, 4096] but was 0");
    }

    @Test
    void theEmbeddedEncoderIsAdaptedAndSearches() throws IOException {
        String queries = Files.writeString(temp.resolve("queries.jsonl"), """
                        {"query": "who may sign", "positive": "the head of the office signs contracts"}
                        {"query": "how long is leave", "positive": "thirty days a year are free"}
                        """).toString();
        Run dry =
                run("train", "embedder", "--quiet", "--json", "--data", queries, "--dry-run", "--cache", out("cache"));
        assertThat(dry.code()).as(dry.err()).isZero();
        assertThat(JsonNode.parse(dry.out()).path("rows").asInt(0)).isEqualTo(2);
        Run trained = run(
                "train",
                "embedder",
                "--quiet",
                "--json",
                "--data",
                queries,
                "--eval",
                queries,
                "--out",
                out("embedder"),
                "--max-steps",
                "2",
                "--epochs",
                "2",
                "--rank",
                "2",
                "--cache",
                out("cache"),
                "--threads",
                "1");
        assertThat(trained.code()).as(trained.err()).isZero();
        List<String> lines = trained.out().lines().toList();
        assertThat(JsonNode.parse(lines.get(0)).propertyNames()).contains("step", "loss", "grad_norm", "accuracy");
        JsonNode end = JsonNode.parse(lines.get(lines.size() - 1));
        assertThat(end.path("evalLoss").path("after").asDouble(9))
                .isLessThan(end.path("evalLoss").path("before").asDouble(0));
        assertThat(end.path("accuracy").path("after").asDouble(0)).isEqualTo(1);
        Path docs = Files.createDirectories(temp.resolve("docs"));
        Files.writeString(docs.resolve("a.txt"), "The head of the office signs contracts.");
        Run found = run(
                "search",
                "who may sign",
                "--quiet",
                "--docs",
                docs.toString(),
                "--embedder",
                out("embedder"),
                "--cache",
                out("cache"));
        assertThat(found.code()).as(found.err()).isZero();
        assertThat(found.out()).contains("head of the office");
    }
}
