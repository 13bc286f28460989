package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.internal.math.Kernels;
import dev.pollux.internal.math.ScalarKernels;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeReport;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every merge: same bytes, complete or absent, stoppable. */
@NoLeaks
class CheckpointMergerTest {

    private static final Map<String, LayerSchedule> HALF =
            Map.of("weight", LayerSchedule.of(0.5), "density", LayerSchedule.of(0.4));

    @TempDir
    Path temp;

    @BeforeEach
    void models() throws IOException {
        for (String name : List.of("base", "a", "b")) {
            TestModels.write(temp.resolve(name), name.hashCode(), 3, 3000);
        }
    }

    private static MergePlan plan(String method) {
        return MergePlan.builder(method)
                .base("base")
                .model("a", HALF)
                .model("b", HALF)
                .build();
    }

    private CheckpointMerger merger(int threads, long memory) {
        MergeOptions options = MergeOptions.builder()
                .threads(threads)
                .memory(memory)
                .seed(5)
                .shardBytes(500_000)
                .build();
        return CheckpointMerger.in(temp, options);
    }

    /** The SHA-256 of every file by name. */
    private static Map<String, String> files(Path folder) throws Exception {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.toList()) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(entry));
                files.put(entry.getFileName().toString(), HexFormat.of().formatHex(digest));
            }
        }
        return files;
    }

    @ParameterizedTest
    @ValueSource(strings = {"ties", "dare_ties", "della", "breadcrumbs", "sce", "model_stock", "multislerp", "karcher"})
    void bytesDependNeitherOnThreadsNorOnMemory(String method) throws Exception {
        Path wide = temp.resolve("wide"); // too large to be kept in memory by the smallest budget
        for (String name : List.of("base", "a", "b")) {
            TestModels.write(wide.resolve(name), name.hashCode(), 2, 9000);
        }
        MergeOptions.Builder options = MergeOptions.builder().seed(5);
        CheckpointMerger one = CheckpointMerger.in(wide, options.threads(1).build());
        CheckpointMerger four =
                CheckpointMerger.in(wide, options.threads(4).memory(16L << 20).build());
        CheckpointMerger three =
                CheckpointMerger.in(wide, options.threads(3).memory(64L << 20).build());

        one.merge(plan(method), temp.resolve("one")).run();
        four.merge(plan(method), temp.resolve("four")).run();
        three.merge(plan(method), temp.resolve("three")).run();

        assertThat(files(temp.resolve("four"))).isEqualTo(files(temp.resolve("one")));
        assertThat(files(temp.resolve("three"))).isEqualTo(files(temp.resolve("one")));
    }

    @Test
    void anotherSeedGivesOtherBytes() throws IOException {
        CheckpointMerger other = CheckpointMerger.in(
                temp, MergeOptions.builder().seed(6).shardBytes(500_000).build());
        merger(2, 1L << 30).merge(plan("dare_linear"), temp.resolve("five")).run();
        other.merge(plan("dare_linear"), temp.resolve("six")).run();

        String shard = "model-00002-of-00003.safetensors";
        assertThat(temp.resolve("six").resolve(shard)).exists();
        assertThat(Files.mismatch(
                        temp.resolve("five").resolve(shard), temp.resolve("six").resolve(shard)))
                .isNotNegative();
    }

    @Test
    void anExistingTargetIsLeftAlone() {
        Job<MergeReport> job = merger(1, 1L << 30).merge(plan("ties"), temp.resolve("a"));

        assertThatThrownBy(job::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(temp.resolve("a") + " must not exist; choose another folder or delete it");
    }

    @Test
    void everythingWrongIsInOneList() {
        MergePlan wrong = MergePlan.builder("tiez")
                .base("base")
                .model("a", HALF)
                .model("nowhere", HALF)
                .dtype("float31")
                .chatTemplate("chatmk")
                .build();

        assertThat(merger(1, 1L << 30).plan(wrong).errors())
                .containsExactly(
                        "model nowhere not found: " + temp.resolve("nowhere")
                                + " is not a folder; nothing is fetched here, download it first",
                        "merge_method tiez is unknown (did you mean ties?); known are linear, slerp, nuslerp,"
                                + " multislerp, karcher, task_arithmetic, ties, dare_linear, dare_ties, della,"
                                + " della_linear, breadcrumbs, breadcrumbs_ties, sce, ram, ramplus_tl, model_stock,"
                                + " nearswap, arcee_fusion, fisher, regmean, passthrough",
                        "dtype float31 is not supported (did you mean float32?); use one of float32, bfloat16, float16",
                        "chat_template chatmk is unknown (did you mean chatml?); use auto, alpaca, chatml, exaone,"
                                + " llama3, mistral, or a template of at least 20 characters");
    }

    @Test
    void aRangeAndAMissingParameterAreReportedTogether() {
        MergePlan wrong = MergePlan.builder("ties")
                .base("base")
                .model("a", Map.of("weight", LayerSchedule.of(1), "density", LayerSchedule.of(2)))
                .parameter("lamda", LayerSchedule.of(1))
                .chatTemplate("none")
                .build();

        MergePreview preview = merger(1, 1L << 30).plan(wrong);

        assertThat(preview.errors())
                .containsExactly(
                        "chat_template none is unknown; use auto, alpaca, chatml, exaone, llama3, mistral, or a"
                                + " template of at least 20 characters",
                        "Cannot merge model.layers.0.mlp.up_proj.weight (and 7 more): density must be in (0, 1] but was"
                                + " 2.0");
        assertThat(preview.notices())
                .containsExactly("parameter lamda is unknown (did you mean lambda?) and has no effect");
    }

    @Test
    void theDryRunSaysWhatEachTensorGets() {
        MergePreview preview = merger(2, 1L << 30).plan(plan("slerp").after(List.of()));
        assertThat(preview.errors()).containsExactly("slerp takes two models but slice 1 has 3");

        MergePlan slerp = MergePlan.builder("slerp")
                .base("base")
                .model("a", Map.of())
                .parameter("t", LayerSchedule.gradient(0, 1))
                .outDtype("float16")
                .build();
        preview = merger(2, 1L << 30).plan(slerp);

        assertThat(preview.isPossible()).isTrue();
        assertThat(preview.tensors()).hasSize(8);
        MergePreview.PlannedTensor tensor = preview.tensors().get(3);
        assertThat(tensor.name()).isEqualTo("model.layers.1.mlp.up_proj.weight");
        assertThat(tensor.method()).isEqualTo("Slerp[t=0.5]");
        assertThat(tensor.cost()).isEqualTo(2);
        assertThat(tensor.sources())
                .containsExactly("base:model.layers.1.mlp.up_proj.weight", "a:model.layers.1.mlp.up_proj.weight");
        assertThat(tensor.file()).isEqualTo("model-00002-of-00003.safetensors");
        assertThat(preview.bytesToWrite()).isEqualTo(2L * 64 * (100 + 3 * 3001 + 1));
        assertThat(preview.bytesToRead()).isEqualTo(2 * preview.bytesToWrite());
        assertThat(preview.memory()).isLessThanOrEqualTo(1L << 30);
    }

    @Test
    void aCancelledMergeLeavesNothing() throws IOException {
        Job<MergeReport> job = merger(2, 1L << 30).merge(plan("ties"), temp.resolve("out"));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress) {
                job.cancel();
            }
        });

        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(temp.resolve("out")).doesNotExist();
        assertThat(hidden()).isEmpty();
    }

    private List<Path> hidden() throws IOException {
        try (Stream<Path> entries = Files.list(temp)) {
            return entries.filter(path -> path.getFileName().toString().startsWith("."))
                    .toList();
        }
    }

    @Test
    void progressCountsBytes() {
        List<JobEvent.Progress> progress = new ArrayList<>();
        MergeReport report = merger(2, 1L << 30)
                .merge(plan("task_arithmetic"), temp.resolve("out"))
                .onEvent(event -> {
                    if (event instanceof JobEvent.Progress some) {
                        progress.add(some);
                    }
                })
                .run();

        JobEvent.Progress last = progress.get(progress.size() - 1);
        assertThat(last.unit()).isEqualTo("bytes");
        assertThat(last.done()).isEqualTo(report.bytesWritten());
        assertThat(last.total()).hasValue(report.bytesWritten());
    }

    @Test
    void stagesAreModelsOfLaterPlans() throws IOException {
        MergePlan last = MergekitYaml.parse("""
            name: first
            models:
              - {model: a, parameters: {weight: 1}}
              - {model: b, parameters: {weight: 1}}
            merge_method: linear
            dtype: float32
            ---
            models:
              - {model: first, parameters: {weight: 3}}
              - {model: base, parameters: {weight: 1}}
            merge_method: linear
            out_dtype: float32
            """);
        merger(2, 1L << 30).merge(last, temp.resolve("out")).run();

        try (SafetensorsFolder out = SafetensorsFolder.open(temp.resolve("out"));
                SafetensorsFolder a = SafetensorsFolder.open(temp.resolve("a"));
                SafetensorsFolder b = SafetensorsFolder.open(temp.resolve("b"));
                SafetensorsFolder base = SafetensorsFolder.open(temp.resolve("base"))) {
            String name = "model.layers.2.mlp.up_proj.weight";
            float first = (a.floats(name)[7] + b.floats(name)[7]) / 2;
            assertThat(out.floats(name)[7]).isEqualTo((3 * first + base.floats(name)[7]) / 4);
        }
        assertThat(hidden()).isEmpty();
    }

    @Test
    void aMergeGoesOnWithTheTensorsThatAreNotInTheJournal() throws Exception {
        CheckpointMerger merger = merger(2, 1L << 30);
        merger.merge(plan("dare_ties"), temp.resolve("whole")).run();
        MergeOptions options =
                MergeOptions.builder().seed(5).shardBytes(500_000).threads(2).build();
        Path part = temp.resolve(".out.part");
        try (MergeLayout layout = new MergePlanner(plan("dare_ties"), temp, options, Map.of()).layout();
                WorkFolder work = WorkFolder.open(temp.resolve("out"), PlanDigest.of(layout, options))) {
            new MergeRun(layout, options, JobContext.NONE, work, InputHashes.none()).run();
        }
        // as after a kill: three tensors were not yet noted, one of them half a line, and their bytes are not there
        Path journal = part.resolve(".merge-journal");
        List<String> lines = Files.readAllLines(journal);
        String cut = lines.get(7).substring(0, 20);
        Files.writeString(journal, String.join("\n", lines.subList(0, 6)) + "\n" + cut);
        for (int i = 6; i < lines.size(); i++) {
            erase(part, JsonNode.parse(lines.get(i)).path("tensor").asString());
        }

        MergeReport report =
                merger.merge(plan("dare_ties"), temp.resolve("out")).run();

        assertThat(report.resumedTensors()).isEqualTo(5);
        assertThat(report.tensors())
                .allSatisfy(tensor -> assertThat(tensor.facts()).containsKey("nonzero"));
        assertThat(files(temp.resolve("out"))).isEqualTo(files(temp.resolve("whole")));
        assertThat(hidden()).isEmpty();
    }

    private static void erase(Path folder, String tensor) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path file : entries.filter(path -> path.toString().endsWith(".safetensors"))
                    .toList()) {
                TensorInfo info;
                try (SafetensorsFile open = SafetensorsFile.open(file)) {
                    info = open.tensors().get(tensor);
                }
                if (info != null) {
                    byte[] bytes = Files.readAllBytes(file);
                    java.util.Arrays.fill(
                            bytes, (int) info.offset(), (int) (info.offset() + info.byteLength()), (byte) 0);
                    Files.write(file, bytes);
                }
            }
        }
    }

    @Test
    void anotherPlanDoesNotGoOnWithTheFirst() throws Exception {
        MergeOptions options =
                MergeOptions.builder().seed(5).shardBytes(500_000).threads(2).build();
        try (MergeLayout layout = new MergePlanner(plan("dare_ties"), temp, options, Map.of()).layout();
                WorkFolder work = WorkFolder.open(temp.resolve("out"), PlanDigest.of(layout, options))) {
            new MergeRun(layout, options, JobContext.NONE, work, InputHashes.none()).run();
        }

        MergeReport report =
                merger(2, 1L << 30).merge(plan("ties"), temp.resolve("out")).run();

        assertThat(report.resumedTensors()).isZero();
    }

    @Test
    void twoMergesIntoOneFolderAreKeptApart() {
        try (WorkFolder first = WorkFolder.open(temp.resolve("out"), "digest")) {
            assertThat(first.finished()).isEmpty();
            assertThatThrownBy(() -> merger(1, 1L << 30)
                            .merge(plan("ties"), temp.resolve("out"))
                            .run())
                    .isInstanceOf(StorageException.class)
                    .hasMessage("Another job of this process is writing " + temp.resolve("out") + "; wait for it");
            first.discard();
        }
    }

    /** Kills a merge in another process at random moments and goes on with it here. */
    @Test
    void aKilledMergeGoesOnToTheSameBytes() throws Exception {
        for (String name : List.of("base", "a", "b")) {
            TestModels.write(temp.resolve("big/" + name), name.hashCode(), 20, 20_000);
        }
        Path big = temp.resolve("big");
        CheckpointMerger merger = CheckpointMerger.in(big, MergeProcess.OPTIONS);
        MergePlan plan = MergeProcess.plan("della");
        merger.merge(plan, big.resolve("whole")).run();
        Random random = new Random(11);
        for (int kill = 0; kill < 20; kill++) {
            Path target = big.resolve("killed" + kill);
            Process process = MergeProcess.start(big, "della", target);
            Path journal = big.resolve(".killed" + kill + ".part/.merge-journal");
            while (process.isAlive() && !hasLines(journal)) {
                process.waitFor(2, TimeUnit.MILLISECONDS);
            }
            process.waitFor(random.nextInt(150), TimeUnit.MILLISECONDS);
            process.destroyForcibly().waitFor();
            if (!Files.exists(target)) {
                assertThat(merger.merge(plan, target).run().resumedTensors())
                        .as("kill %s of seed 11", kill)
                        .isPositive();
            }
            assertThat(files(target)).as("kill %s of seed 11", kill).isEqualTo(files(big.resolve("whole")));
            WorkFolder.deleteTree(target);
        }
    }

    private static boolean hasLines(Path journal) throws IOException {
        try {
            return Files.size(journal) > 200;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** The other process runs without the Vector API, this one with it where the processor allows. */
    @ParameterizedTest
    @ValueSource(strings = {"ties", "dare_ties", "breadcrumbs_ties", "task_arithmetic"})
    void bytesDoNotDependOnTheVectorsOfTheJvm(String method) throws Exception {
        assumeTrue(
                Kernels.BEST != ScalarKernels.INSTANCE, "this JVM has no vectors of 256 bits or more to compare with");
        Process process = MergeProcess.start(temp, method, temp.resolve("scalar"));
        assertThat(process.waitFor()).isZero();
        CheckpointMerger.in(temp, MergeProcess.OPTIONS)
                .merge(MergeProcess.plan(method), temp.resolve("vector"))
                .run();
        assertThat(files(temp.resolve("vector"))).isEqualTo(files(temp.resolve("scalar")));
    }
}
