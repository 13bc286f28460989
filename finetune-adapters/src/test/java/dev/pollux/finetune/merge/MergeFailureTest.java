package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Broken and doubtful plans: what is an error is one before anything is written, what is none merges. */
@NoLeaks
class MergeFailureTest {

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> brokenPlansAreRefusedBeforeAnythingIsWritten() {
        Path failures = ReferenceData.golden("merge/failures");
        ObjectNode expected = JsonFile.object(failures.resolve("expected.json")).orElseThrow();
        return ReferenceData.cases(failures, path -> path.toString().endsWith(".yml")).stream()
                .map(file -> {
                    String id = file.getFileName().toString().replace(".yml", "");
                    String due = expected.path(id).path("clear_message").asString();
                    return DynamicTest.dynamicTest(id, () -> check(failures.resolveSibling("models"), file, due));
                });
    }

    private void check(Path models, Path file, String due) throws IOException {
        assertThat(due).as("what is due").isNotBlank();
        Path target = temp.resolve(file.getFileName());
        CheckpointMerger merger = CheckpointMerger.in(models);
        if (due.contains("syntax")) {
            assertThatThrownBy(() -> MergekitYaml.read(file))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("line ")
                    .hasMessageContaining("column ");
            return;
        }
        MergePlan plan = MergekitYaml.read(file);
        MergePreview preview = merger.plan(plan);
        if (due.startsWith("not an error")) {
            assertThat(preview.errors()).isEmpty();
            assertThat(merger.merge(plan, target).run().tensors()).isNotEmpty();
        } else if (due.startsWith("warning or error")) {
            assertThat(preview.problems()).isNotEmpty();
            mentionsWhatIsDue(String.join("\n", preview.notices()), due);
        } else {
            assertThat(preview.errors()).isNotEmpty();
            assertThatThrownBy(() -> merger.merge(plan, target).run())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(preview.errors().get(0));
            assertThat(target).doesNotExist();
            try (Stream<Path> left = Files.list(temp)) {
                assertThat(left.filter(path -> path.getFileName()
                                .toString()
                                .contains(file.getFileName().toString())))
                        .isEmpty();
            }
        }
    }

    /** Names that a person would look for: words with an inner capital, dot, dash or underscore, and quoted ones. */
    private static void mentionsWhatIsDue(String message, String due) {
        String named = due.contains("(") ? due.substring(0, due.indexOf('(')) : due;
        Stream.of(named.split("[ ,:]+"))
                .filter(word -> word.matches("[a-z]{4,}"))
                .filter(word -> !Stream.of("warning", "error", "unknown", "parameters", "parameter")
                        .toList()
                        .contains(word))
                .forEach(word -> assertThat(message).contains(word));
    }
}
