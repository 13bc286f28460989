package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that is killed again and again ends with the bits of one that is not. */
class KilledTrainingTest {

    private static final int KILLS = 20;

    @TempDir
    Path temp;

    @Test
    void twentyKillsChangeNoBit() throws Exception {
        Path model = TrainingModel.in(temp);
        TrainingReport whole = TrainingProcess.run(model, temp.resolve("whole"));
        Path target = temp.resolve("killed");
        Random random = new Random(7);
        int reached = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = TrainingProcess.start(model, target);
            int wanted = reached + 1 + random.nextInt(5);
            while (process.isAlive() && lastStep() < wanted) {
                process.waitFor(1, TimeUnit.MILLISECONDS);
            }
            process.waitFor(random.nextInt(10), TimeUnit.MILLISECONDS);
            assertThat(process.isAlive())
                    .as("kill %s of seed 7 hits a run", kill)
                    .isTrue();
            process.destroyForcibly().waitFor();
            assertThat(target).as("kill %s of seed 7", kill).doesNotExist();
            reached = lastStep();
            assertThat(reached).as("kill %s of seed 7", kill).isGreaterThanOrEqualTo(wanted);
        }
        TrainingReport report = TrainingProcess.run(model, target);
        assertThat(report.notices()).contains("The run continues after step " + reached);
        assertThat(report.before()).isEqualTo(whole.before());
        assertThat(report.after()).isEqualTo(whole.after());
        assertThat(report.keptStep()).isEqualTo(whole.keptStep());
        for (String file : new String[] {"adapter_model.safetensors", "adapter_config.json"}) {
            assertThat(target.resolve(file))
                    .hasSameBinaryContentAs(temp.resolve("whole").resolve(file));
        }
        assertThat(temp.resolve("killed.checkpoints")).doesNotExist();
    }

    /** The last step whose state is complete; 0 before the first. */
    private int lastStep() throws IOException {
        try (Stream<Path> folders = Files.list(temp.resolve("killed.checkpoints"))) {
            return folders.map(folder -> folder.getFileName().toString())
                    .filter(name -> name.matches("step-\\d+"))
                    .mapToInt(name -> Integer.parseInt(name.substring("step-".length())))
                    .max()
                    .orElse(0);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }
}
