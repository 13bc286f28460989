package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeReport;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Merges of the reference tool, done again and compared at the tolerances of the set's README. */
@NoLeaks
class MergeGoldenTest {

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> mergesAgreeWithTheReferenceTool() {
        Path set = ReferenceData.golden("merge/cases");
        List<Path> cases = ReferenceData.cases(set, path -> Files.isRegularFile(path.resolve("config.yml")));
        return cases.stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    ObjectNode expected =
                            JsonFile.object(folder.resolve("expected.json")).orElseThrow();
                    check(set.resolveSibling("models"), folder, expected);
                }));
    }

    private void check(Path models, Path folder, ObjectNode expected) throws IOException {
        // The stored outputs contain the reference tool's behaviour at breadcrumbs without outliers.
        MergeOptions.Builder options = MergeOptions.builder().threads(2).likeReference(true);
        long shard = expected.path("options").path("out_shard_size").asLong(0);
        if (shard > 0) {
            options.shardBytes(shard);
        }
        CheckpointMerger merger = CheckpointMerger.in(models, options.build());
        Path target = temp.resolve(folder.getFileName());
        var plan = MergekitYaml.read(folder.resolve("config.yml"));
        MergePreview preview = merger.plan(plan);
        assertThat(preview.errors()).isEmpty();

        MergeReport report = merger.merge(plan, target).run();

        try (SafetensorsFolder ours = SafetensorsFolder.open(target);
                SafetensorsFolder theirs = SafetensorsFolder.open(folder)) {
            GoldenMerge merge = new GoldenMerge(models, folder, expected, report, target, ours, theirs);
            merge.checkNamesShapesAndFiles();
            merge.checkConfig();
            merge.checkValues();
            merge.checkFacts();
            merge.checkTexts();
            merge.checkItOpens();
            if (!expected.path("warnings").isEmpty()) {
                assertThat(preview.notices()).as("the reference tool warns").isNotEmpty();
            }
            var planned = new TreeMap<String, List<Long>>();
            preview.tensors().forEach(tensor -> planned.put(tensor.name(), tensor.shape()));
            var written = new TreeMap<String, List<Long>>();
            ours.tensors().forEach((name, info) -> written.put(name, info.shape()));
            assertThat(planned).as("what was written is what was announced").isEqualTo(written);
        }
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left.map(path -> path.getFileName().toString()).filter(name -> name.startsWith(".")))
                    .isEmpty();
        }
    }
}
