package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Quantizations that were killed. A kill is simulated by copies of the work folder while a job runs. */
@NoLeaks
class ResumptionTest {

    @TempDir
    Path temp;

    private static OnnxQuantizer quantizer(int threads) {
        return OnnxQuantizer.create(QuantizerOptions.builder().threads(threads).build(), 1);
    }

    private static Map<String, byte[]> bytes(Path folder) throws IOException {
        Map<String, byte[]> all = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                all.put(folder.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return all;
    }

    private static void copy(Path from, Path to) {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Copies of the work folder at each progress of a job. */
    private List<Path> snapshots(Path model, Path target, QuantizationRecipe recipe, String name) {
        List<Path> copies = new ArrayList<>();
        Path part = target.resolveSibling("." + target.getFileName() + ".part");
        Job<QuantizationReport> job = quantizer(2).quantize(model, target, recipe);
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress
                    && progress.stage().equals("quantize")
                    && Files.exists(part)) {
                Path copy = temp.resolve(name + copies.size());
                copy(part, copy);
                copies.add(copy);
            }
        });
        job.run();
        return copies;
    }

    private QuantizationReport resume(
            Path snapshot, Path target, Path model, QuantizationRecipe recipe, List<String> told) {
        Path part = target.resolveSibling("." + target.getFileName() + ".part");
        copy(snapshot, part);
        Job<QuantizationReport> job = quantizer(1).quantize(model, target, recipe);
        job.onEvent(event -> {
            if (event instanceof JobEvent.Notice notice) {
                told.add(notice.message());
            }
        });
        QuantizationReport report = job.run();
        assertThat(part).doesNotExist();
        return report;
    }

    @Test
    void aKilledRunIsTakenUpAndTheBytesAreTheSame() throws IOException {
        Path model = TinyDecoder.llama(3).write(temp.resolve("model"));
        for (QuantizationMethod method : List.of(
                QuantizationMethod.SEARCH,
                QuantizationMethod.FLOAT16,
                QuantizationMethod.GPTQ,
                QuantizationMethod.AWQ,
                QuantizationMethod.INT8,
                QuantizationMethod.INT8_STATIC)) {
            QuantizationRecipe recipe = QuantizationRecipe.builder()
                    .method(method)
                    .calibration(
                            method.needsCalibration()
                                    ? CalibrationData.of(List.of("The tide was out. ".repeat(40)))
                                            .withWindows(4, 32)
                                    : CalibrationData.NONE)
                    .build();
            Path whole = temp.resolve("whole-" + method.text());
            QuantizationReport expected =
                    quantizer(2).quantize(model, whole, recipe).run();
            List<Path> copies = snapshots(model, temp.resolve("first-" + method.text()), recipe, method.text());
            assertThat(copies).hasSizeGreaterThan(4);
            long taken = 0;
            for (int i = 0; i < copies.size(); i++) {
                Path target = temp.resolve(method.text() + "-again" + i);
                List<String> told = new ArrayList<>();
                QuantizationReport report = resume(copies.get(i), target, model, recipe, told);
                assertThat(bytes(target)).usingRecursiveComparison().isEqualTo(bytes(whole));
                assertThat(report.layers()).isEqualTo(expected.layers());
                taken += told.stream()
                        .filter(notice -> notice.endsWith("are taken over from a run that was interrupted"))
                        .count();
            }
            assertThat(taken).isGreaterThan(copies.size() / 2);
        }
    }

    @Test
    void aRunThatIsKilledAgainWhileItCopiesIsTakenUp() throws IOException {
        Path model = TinyDecoder.llama(4).write(temp.resolve("model"));
        QuantizationRecipe recipe = QuantizationRecipe.DEFAULTS;
        Path whole = temp.resolve("whole");
        quantizer(2).quantize(model, whole, recipe).run();
        List<Path> copies = snapshots(model, temp.resolve("first"), recipe, "once");
        Path second = temp.resolve("second");
        copy(copies.get(copies.size() - 2), temp.resolve(".second.part"));
        List<Path> again = snapshots(model, second, recipe, "twice");
        assertThat(again).hasSizeGreaterThan(4);
        for (int i = 0; i < again.size(); i++) {
            Path target = temp.resolve("third" + i);
            resume(again.get(i), target, model, recipe, new ArrayList<>());
            assertThat(bytes(target)).usingRecursiveComparison().isEqualTo(bytes(whole));
        }
    }

    @Test
    void anotherRecipeBeginsAnew() throws IOException {
        Path model = TinyDecoder.llama(5).write(temp.resolve("model"));
        List<Path> copies = snapshots(model, temp.resolve("first"), QuantizationRecipe.DEFAULTS, "copy");
        QuantizationRecipe other = QuantizationRecipe.builder().bits(8).build();
        Path whole = temp.resolve("whole");
        quantizer(2).quantize(model, whole, other).run();
        List<String> told = new ArrayList<>();
        Path target = temp.resolve("again");
        resume(copies.get(copies.size() - 1), target, model, other, told);
        assertThat(told).noneMatch(notice -> notice.contains("interrupted"));
        assertThat(bytes(target)).usingRecursiveComparison().isEqualTo(bytes(whole));
    }
}
