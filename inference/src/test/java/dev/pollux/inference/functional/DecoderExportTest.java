package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportReport;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Exporting the bundled model: once, whole or not at all, with a report. */
@NoLeaks
class DecoderExportTest {

    @TempDir
    Path temp;

    private static Checkpoint checkpoint() {
        return Checkpoint.open(
                EmbeddedModel.named("smollm2-135m-instruct").unpack().run());
    }

    @Test
    void reportSaysWhatWasDoneAndWhatItCosts() {
        try (Checkpoint checkpoint = checkpoint()) {
            ExportReport report = DecoderExport.export(checkpoint, temp.resolve("out"), ExportOptions.DEFAULTS)
                    .run();
            assertThat(report.matrices())
                    .containsEntry("Q4_1 rounded to 8 bits", 210)
                    .containsEntry("Q8_0 exactly in 8 bits", 1);
            assertThat(report.notices())
                    .containsExactly("210 matrices: Q4_1 rounded to 8 bits, which the 4-bit kernel cannot hold; "
                            + "perplexity of a small model rises by about 0.7 %");
            assertThat(report.bytes()).isGreaterThan(100_000_000);
            assertThat(DecoderManifest.read(temp.resolve("out")).provenance()).containsKeys("source", "matrices");
        }
    }

    @ParameterizedTest
    @EnumSource(WeightFormat.class)
    void previewSaysWhatAnExportDoes(WeightFormat weights) {
        ExportOptions options = ExportOptions.builder().weights(weights).build();
        try (Checkpoint checkpoint = checkpoint()) {
            ExportReport preview = DecoderExport.preview(checkpoint, options);
            ExportReport report = DecoderExport.export(checkpoint, temp.resolve("out"), options)
                    .run();
            assertThat(preview.bytes())
                    .isEqualTo(report.bytes())
                    .isEqualTo(temp.resolve("out/model.onnx.data").toFile().length());
            assertThat(preview.matrices()).isEqualTo(report.matrices());
            assertThat(preview.notices()).isEqualTo(report.notices());
        }
    }

    @Test
    void progressCountsTheLayers() {
        List<Long> layers = new ArrayList<>();
        try (Checkpoint checkpoint = checkpoint()) {
            DecoderExport.export(checkpoint, temp.resolve("out"), ExportOptions.DEFAULTS)
                    .onEvent(event -> {
                        if (event instanceof JobEvent.Progress progress
                                && progress.stage().equals("layers")) {
                            layers.add(progress.done());
                        }
                    })
                    .run();
        }
        assertThat(layers)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, 30).mapToObj(Long::valueOf).toList());
    }

    @Test
    void cancelledExportLeavesNothing() throws IOException {
        try (Checkpoint checkpoint = checkpoint()) {
            Job<ExportReport> job = DecoderExport.export(checkpoint, temp.resolve("out"), ExportOptions.DEFAULTS);
            job.onEvent(event -> {
                if (event instanceof JobEvent.Progress) {
                    job.cancel();
                }
            });
            assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        }
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void anExistingTargetIsNotTouched() throws IOException {
        Path target = Files.createDirectory(temp.resolve("mine"));
        try (Checkpoint checkpoint = checkpoint()) {
            assertThatThrownBy(() -> DecoderExport.export(checkpoint, target, ExportOptions.DEFAULTS)
                            .run())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(target + " must not exist; choose another folder or delete it");
        }
    }

    @Test
    void threadsThatWantTheSameExportGetOne() throws IOException {
        try (Checkpoint checkpoint = checkpoint()) {
            List<CompletableFuture<Path>> runs = IntStream.range(0, 3)
                    .mapToObj(i -> CompletableFuture.supplyAsync(
                            () -> DecoderExport.cached(checkpoint, ExportOptions.DEFAULTS, temp, JobContext.NONE)))
                    .toList();
            Path first = runs.get(0).join();
            assertThat(runs).allSatisfy(run -> assertThat(run.join()).isEqualTo(first));
            try (Stream<Path> folders = Files.list(first.getParent()).filter(Files::isDirectory)) {
                assertThat(folders.map(Path::getFileName).map(Path::toString))
                        .containsExactlyInAnyOrder(first.getFileName().toString(), "hashes");
            }
        }
    }

    @Test
    void whatAKilledExportLeftIsRemovedAndADamagedFolderWrittenAgain() throws IOException {
        try (Checkpoint checkpoint = checkpoint()) {
            Path target = DecoderExport.cached(checkpoint, ExportOptions.DEFAULTS, temp, JobContext.NONE);
            Path leftover = Files.createDirectory(target.resolveSibling("." + target.getFileName() + ".part"));
            Files.writeString(leftover.resolve("model.onnx"), "half");
            Files.delete(target.resolve(DecoderManifest.FILE));
            assertThat(DecoderExport.cached(checkpoint, ExportOptions.DEFAULTS, temp, JobContext.NONE))
                    .isEqualTo(target)
                    .isDirectoryContaining("glob:**/pollux.json");
            assertThat(leftover).doesNotExist();
        }
    }
}
