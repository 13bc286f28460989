package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.finetune.internal.training.EncoderModel;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.TextBatch;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Gradients of every family of encoders are those that differences give. */
@NoLeaks
class EncoderGradientTest {

    /** Of a derivative along a direction, by central differences of 32-bit floats. */
    private static final double TOLERANCE = 1e-2;

    private static final double STEP = 1e-2;

    @TestFactory
    Stream<DynamicTest> gradientsOfEveryFamilyAreThoseOfDifferences() {
        return ReferenceData.cases(
                        ReferenceData.golden("encoder"), path -> Files.exists(path.resolve("model.safetensors")))
                .stream()
                .map(folder -> DynamicTest.dynamicTest(String.valueOf(folder.getFileName()), () -> check(folder)));
    }

    private static void check(Path folder) {
        long seed = folder.getFileName().toString().hashCode();
        Random random = new Random(seed);
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            EncoderModel.Setting setting = new EncoderModel.Setting(
                    EncoderExport.graph(folder, Map.of(), tensors), tensors, 1, Long.MAX_VALUE);
            Set<String> matrices = setting.matrices();
            assertThat(matrices).isNotEmpty();
            LoraOptions lora =
                    LoraOptions.builder().rank(2).loraBias(random.nextBoolean()).build();
            Trainables trained = NewAdapter.of(lora, tensors, matrices, seed).trainables();
            fill(trained.parameters(), random);
            try (EncoderModel model = new EncoderModel(setting, trained, Residuals.NONE)) {
                compare(model, trained, random, lora + ", seed " + seed);
            }
        }
    }

    private static void fill(List<Parameter> parameters, Random random) {
        for (Parameter parameter : parameters) {
            if (parameter.kind() == Parameter.Kind.B || parameter.kind() == Parameter.Kind.ADDED_BIAS) {
                for (int i = 0; i < parameter.values().length; i++) {
                    parameter.values()[i] = (float) (0.1 * random.nextGaussian());
                }
            }
        }
    }

    private static void compare(EncoderModel model, Trainables trained, Random random, String as) {
        TextBatch batch = TextBatch.of(List.of(text(random, 9), text(random, 4)));
        float[] result = model.forward(batch, OptionalLong.empty(), JobContext.NONE);
        float[] cotangent = new float[result.length];
        int width = model.width();
        for (int i = 0; i < cotangent.length; i++) {
            boolean padding = result.length > 2 * width && batch.mask()[i / width] == 0;
            cotangent[i] = padding ? 0 : (float) random.nextGaussian();
        }
        model.backward(batch, OptionalLong.empty(), cotangent, JobContext.NONE);
        List<float[]> gradients = new ArrayList<>();
        trained.parameters()
                .forEach(parameter -> gradients.add(parameter.gradient().clone()));
        double norm = 0;
        for (float[] gradient : gradients) {
            for (float value : gradient) {
                norm += (double) value * value;
            }
        }
        assertThat(norm).as(as).isPositive();
        double step = STEP / Math.sqrt(norm);
        double above = moved(model, trained, gradients, step, batch, cotangent);
        double below = moved(model, trained, gradients, -2 * step, batch, cotangent);
        double found = (above - below) / (2 * step);
        assertThat(Math.abs(found - norm) / norm).as(as).isLessThan(TOLERANCE);
    }

    private static double moved(
            EncoderModel model,
            Trainables trained,
            List<float[]> direction,
            double by,
            TextBatch batch,
            float[] cotangent) {
        for (int i = 0; i < direction.size(); i++) {
            float[] values = trained.parameters().get(i).values();
            for (int j = 0; j < values.length; j++) {
                values[j] += (float) (by * direction.get(i)[j]);
            }
        }
        model.refresh();
        float[] result = model.forward(batch, OptionalLong.empty(), JobContext.NONE);
        double sum = 0;
        for (int i = 0; i < result.length; i++) {
            sum += (double) result[i] * cotangent[i];
        }
        return sum;
    }

    private static TextBatch.Text text(Random random, int length) {
        int[] ids = new int[length];
        for (int i = 0; i < length; i++) {
            ids[i] = 5 + random.nextInt(200);
        }
        return new TextBatch.Text(ids, new int[length]);
    }
}
