package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bits chosen for each matrix by measured loss. */
@NoLeaks
class PrecisionTest {

    private static final String TEXT = "the quick brown fox jumps over the lazy dog ".repeat(8);
    private static final QuantizationRecipe RECIPE = QuantizationRecipe.DEFAULTS;

    @TempDir
    Path temp;

    private Sensitivity measured(Path model, QuantizationRecipe recipe, boolean coarse) {
        return SensitivityProbe.of(QuantizerOptions.builder().threads(2).build())
                .measure(model, recipe, TEXT, coarse)
                .run();
    }

    @Test
    void aBudgetOfBytesIsKeptAndUsedWhereTheModelLosesMost() throws java.io.IOException {
        Path model = TinyDecoder.llama(7).write(temp.resolve("model"));
        Sensitivity sensitivity = measured(model, RECIPE, true);
        PrecisionPlan least = sensitivity.choose(new PrecisionBudget.Divergence(1e6));
        PrecisionPlan most = sensitivity.choose(new PrecisionBudget.Bytes(Long.MAX_VALUE / 2));
        assertThat(most.bytes()).isGreaterThan(least.bytes());
        assertThat(most.predictedKl()).isLessThan(least.predictedKl());
        assertThat(least.choices()).allMatch(choice -> choice.bits() < 8);

        long middle = (least.bytes() + most.bytes()) / 2;
        PrecisionPlan plan = sensitivity.choose(new PrecisionBudget.Bytes(middle));
        assertThat(plan.bytes()).isLessThanOrEqualTo(middle);
        assertThat(plan.predictedKl()).isBetween(most.predictedKl(), least.predictedKl());
        assertThat(plan.choices().stream().map(PrecisionPlan.Choice::bits).distinct())
                .hasSizeGreaterThan(1);

        Path target = temp.resolve("target");
        QuantizationReport report =
                OnnxQuantizer.create().quantize(model, target, plan.recipe()).run();
        assertThat(Files.size(target.resolve("model.onnx.data"))).isLessThanOrEqualTo(middle);
        for (PrecisionPlan.Choice choice : plan.choices()) {
            assertThat(report.layers())
                    .filteredOn(layer -> choice.matrices().contains(layer.name()))
                    .hasSize(choice.matrices().size())
                    .extracting(QuantizedLayer::bits)
                    .containsOnly(choice.bits());
        }
    }

    @Test
    void theSameMeasurementGivesTheSamePlanAndCurve() throws java.io.IOException {
        Path model = TinyDecoder.llama(8).write(temp.resolve("model"));
        PrecisionPlan one = measured(model, RECIPE, false).choose(new PrecisionBudget.Divergence(1e-2));
        PrecisionPlan other = measured(model, RECIPE, false).choose(new PrecisionBudget.Divergence(1e-2));
        assertThat(one.recipe()).isEqualTo(other.recipe());
        assertThat(one.points()).isSortedAccordingTo((a, b) -> Long.compare(a.bytes(), b.bytes()));
        assertThat(one.points()).isSortedAccordingTo((a, b) -> Double.compare(b.kl(), a.kl()));
    }

    @Test
    void aRuleOfTheRecipeIsNotChanged() throws java.io.IOException {
        Path model = TinyDecoder.llama(9).write(temp.resolve("model"));
        QuantizationRecipe recipe =
                RECIPE.toBuilder().rule(Rule.bits("*.down*", 2)).build();
        PrecisionPlan plan = measured(model, recipe, false).choose(new PrecisionBudget.Divergence(1e6));
        assertThat(plan.choices())
                .noneMatch(choice -> choice.matrices().stream().anyMatch(name -> name.contains(".down")));
        QuantizationReport report = OnnxQuantizer.create()
                .quantize(model, temp.resolve("target"), plan.recipe())
                .run();
        assertThat(report.layers())
                .filteredOn(layer -> layer.name().contains(".down"))
                .extracting(QuantizedLayer::bits)
                .containsOnly(2);
    }

    @Test
    void impossibleBudgetsAndModelsAreRefused() throws java.io.IOException {
        Path model = TinyDecoder.llama(9).write(temp.resolve("model"));
        Sensitivity sensitivity = measured(model, RECIPE, false);
        long smallest = sensitivity.choose(new PrecisionBudget.Divergence(1e6)).bytes();
        assertThatThrownBy(() -> sensitivity.choose(new PrecisionBudget.Bytes(10)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "The budget must be at least " + smallest + " bytes, which the smallest form takes, but was 10;"
                                + " give more bytes, or fewer bits to the head");
        assertThatThrownBy(() -> sensitivity.choose(new PrecisionBudget.Divergence(1e-30)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("The largest KL must be at least ")
                .hasMessageEndingWith(
                        ", which the largest form loses, but was 1.0E-30; allow more, or keep weights in float"
                                + " with a rule");
        assertThatThrownBy(() -> new PrecisionBudget.Bytes(0)).hasMessage("most must be at least 1 byte but was 0");
        assertThatThrownBy(() -> new PrecisionBudget.Divergence(0))
                .hasMessage("most must be a finite number above 0 but was 0.0");
        assertThatThrownBy(() -> measured(
                        model,
                        RECIPE.toBuilder().method(QuantizationMethod.FLOAT16).build(),
                        false))
                .hasMessage("A budget needs a method with blocks but the method was float16; use search or rtn");
        Path encoder = TinyCheckpoint.bert(temp.resolve("encoder"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();
        assertThatThrownBy(() -> measured(encoder, RECIPE, false))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("A budget needs a decoder, whose KL can be measured, but " + encoder
                        + " is none; choose bits with --bits, or with rules");
    }

    /** All allocations of a few small groups are tried. */
    @Test
    void allocationsAreOptimalForTheBytesThatTheyTake() {
        long seed = new Random().nextLong();
        System.out.println("PrecisionTest seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            List<PrecisionCurve> curves = new ArrayList<>();
            for (int group = 0; group < 4; group++) {
                List<PrecisionCurve.Form> forms = new ArrayList<>();
                for (int form = 0; form < 4; form++) {
                    forms.add(new PrecisionCurve.Form(4, 32, 1L + random.nextInt(1000), random.nextDouble()));
                }
                curves.add(PrecisionCurve.of(List.of("w" + group), 100, forms));
            }
            for (PrecisionPlan.Point point : PrecisionAllocation.points(curves, 5, 0, 1)) {
                assertThat(point.kl()).isLessThanOrEqualTo(least(curves, 0, point.bytes()) + 1e-12);
            }
            long budget = 1000L + random.nextInt(2000);
            PrecisionAllocation allocation = new PrecisionAllocation(curves);
            if (allocation.within(budget)) {
                assertThat(allocation.bytes()).isLessThanOrEqualTo(budget);
            }
        }
    }

    private static double least(List<PrecisionCurve> curves, int group, long bytes) {
        if (group == curves.size()) {
            return bytes < 0 ? Double.POSITIVE_INFINITY : 0;
        }
        double best = Double.POSITIVE_INFINITY;
        for (PrecisionCurve.Form form : curves.get(group).forms()) {
            best = Math.min(best, form.kl() + least(curves, group + 1, bytes - form.bytes()));
        }
        return best;
    }
}
