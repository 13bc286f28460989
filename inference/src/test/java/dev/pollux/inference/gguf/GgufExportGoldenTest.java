package dev.pollux.inference.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Reference checkpoints are read back from GGUF with the same tensors; others are refused. */
class GgufExportGoldenTest {

    private static final Offset<Float> SHIFTED = within(1e-6f); // 1 + w − 1

    @TempDir
    Path temporary;

    @TestFactory
    Stream<DynamicTest> checkpointsComeBackOrAreRefused() throws IOException {
        try (Stream<Path> found = Files.list(ReferenceData.golden("decoder"))) {
            return found.filter(folder -> Files.isRegularFile(folder.resolve("config.json"))).sorted().toList().stream()
                    .map(folder -> dynamicTest(folder.getFileName().toString(), () -> check(folder)));
        }
    }

    private void check(Path folder) {
        Path target = temporary.resolve(folder.getFileName() + ".gguf");
        GgufOptions options = GgufOptions.builder().type(GgufType.F32).build();
        try {
            GgufExport.job(folder, target, options).run();
        } catch (UnsupportedModelException e) {
            assertThat(e).hasMessageStartingWith(folder.toString());
            assertThat(target).doesNotExist();
            return;
        }
        try (Checkpoint from = Checkpoint.open(folder);
                Checkpoint to = Checkpoint.open(target)) {
            assertThat(to.config().architecture()).isIn(from.config().architecture(), "LlamaForCausalLM");
            from.tensors().tensors().forEach((name, info) -> {
                float[] due = from.tensors().floats(name);
                float[] got = to.tensors().floats(name);
                assertThat(got).as(name).hasSameSizeAs(due);
                for (int i = 0; i < due.length; i++) {
                    assertThat(got[i]).as(name).isCloseTo(due[i], SHIFTED);
                }
            });
        }
    }
}
