package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Properties of GPTQ on random matrices and inputs. */
class GptqTest {

    /** Sums of some thousand products in another order. */
    private static final double ROUNDING = 1e-9;

    private long seed;
    private Random random = new Random();

    @BeforeEach
    void seed() {
        seed = System.nanoTime();
        random = new Random(seed);
    }

    private record Inputs(float[] x, int width) { // (samples, width)

        double[][] gram() {
            double[][] gram = new double[width][];
            for (int i = 0; i < width; i++) {
                gram[i] = new double[i + 1];
                for (int j = 0; j <= i; j++) {
                    for (int at = 0; at < x.length; at += width) {
                        gram[i][j] += (double) x[at + i] * x[at + j];
                    }
                }
            }
            return gram;
        }

        int samples() {
            return x.length / width;
        }
    }

    /** Inputs that depend on a few causes, some of them large, and a dead one now and then. */
    private Inputs inputs(int samples, int width, int causes) {
        float[] mix = normal(causes * width);
        return inputs(samples, width, mix, random.nextInt(3) == 0 ? random.nextInt(width) : -1);
    }

    private Inputs inputs(int samples, int width, float[] mix, int dead) {
        int causes = mix.length / width;
        float[] x = new float[samples * width];
        for (int s = 0; s < samples; s++) {
            float[] cause = normal(causes);
            for (int j = 0; j < width; j++) {
                double sum = 0.1 * random.nextGaussian();
                for (int c = 0; c < causes; c++) {
                    sum += cause[c] * mix[c * width + j];
                }
                x[s * width + j] = j == dead ? 0 : (float) (j % 17 == 3 ? 8 * sum : sum);
            }
        }
        return new Inputs(x, width);
    }

    private float[] normal(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Σ ‖(W − Ŵ)x‖² of each row, 2 / samples times. */
    private static double[] outputErrors(Inputs inputs, float[] weights, CodedRows coded) {
        double[] made = exact(coded);
        double[] errors = new double[coded.rows];
        for (int row = 0; row < coded.rows; row++) {
            for (int at = 0; at < inputs.x.length; at += inputs.width) {
                double y = 0;
                for (int j = 0; j < inputs.width; j++) {
                    double off = weights[row * inputs.width + j] - made[row * inputs.width + j];
                    y += off * inputs.x[at + j];
                }
                errors[row] += y * y * 2 / inputs.samples();
            }
        }
        return errors;
    }

    /** (rows, columns), as {@link CodedRows#dequantized} but not rounded to floats, which would move a small error by 1e-6 of it. */
    private static double[] exact(CodedRows coded) {
        double[] values = new double[coded.rows * coded.columns];
        for (int i = 0; i < values.length; i++) {
            int column = i % coded.columns;
            int block = i / coded.columns * coded.blocks + column / coded.blockSize;
            int code = coded.codes[block * coded.blockSize + column % coded.blockSize] & 0xff;
            values[i] = ((double) code - coded.zeros[block]) * coded.scales[block];
        }
        return values;
    }

    @Test
    void noRowHasALargerOutputErrorThanRoundedToNearest() {
        for (int round = 0; round < 40; round++) {
            int width = 16 + random.nextInt(150);
            int rows = 1 + random.nextInt(70);
            BlockFormat format = new BlockFormat(2 << random.nextInt(3), 16 << random.nextInt(3), random.nextBoolean());
            boolean symmetric = random.nextBoolean();
            Inputs inputs = inputs(1 + random.nextInt(200), width, 1 + random.nextInt(20));
            float[] weights = normal(rows * width);
            HessianCoder coder = HessianCoder.of(inputs.gram(), inputs.samples());
            CodedRows coded = coder.code(weights, format, symmetric);
            CodedRows rounded = CodedRows.of(weights, width, format, new RoundToNearest(symmetric));
            double[] errors = outputErrors(inputs, weights, coded);
            double[] before = outputErrors(inputs, weights, rounded);
            double scale = 0;
            for (double error : before) {
                scale = Math.max(scale, error);
            }
            for (int row = 0; row < rows; row++) {
                assertThat(errors[row])
                        .as("seed %d, round %d, row %d, %s", seed, round, row, format)
                        .isLessThanOrEqualTo(before[row] + ROUNDING * scale);
            }
        }
    }

    @Test
    void errorsOfGivenCodesAreThoseOfTheOutputs() {
        int width = 90;
        Inputs inputs = inputs(300, width, 100);
        float[] weights = normal(70 * width);
        for (Gptq.Variant variant : Gptq.Variant.values()) {
            Gptq gptq = Gptq.of(inputs.gram(), 2.0 / inputs.samples(), Gptq.DAMPING, variant);
            float[] live = gptq.live(weights);
            CodedRows coded = CodedRows.of(live, width, new BlockFormat(4, 32, false), new RoundToNearest(false));
            double[] due = outputErrors(inputs, live, coded);
            double[] found = gptq.errors(live, coded);
            for (int row = 0; row < due.length; row++) {
                assertThat(found[row])
                        .as("seed %d, %s, row %d", seed, variant, row)
                        .isCloseTo(due[row], within(1e-6 * due[row]));
            }
        }
    }

    /** The share of the output's error that is left on inputs that the codes were not chosen on. */
    @Test
    void correlatedInputsLeaveLessThanHalfOfTheErrorOfRounding() {
        int width = 128;
        float[] mix = normal(24 * width);
        Inputs calibration = inputs(2000, width, mix, -1);
        Inputs held = inputs(500, width, mix, -1);
        float[] weights = normal(64 * width);
        BlockFormat format = new BlockFormat(4, 32, false);
        CodedRows coded =
                HessianCoder.of(calibration.gram(), calibration.samples()).code(weights, format, false);
        CodedRows rounded = CodedRows.of(weights, width, format, new RoundToNearest(false));
        assertThat(sum(outputErrors(held, weights, coded)))
                .as("seed %d", seed)
                .isLessThan(0.25 * sum(outputErrors(held, weights, rounded))); // half of the root
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    @Test
    void someRowsHaveTheCodesThatTheyHaveAmongAll() {
        int width = 75;
        Inputs inputs = inputs(200, width, 30);
        float[] weights = normal(100 * width);
        BlockFormat format = new BlockFormat(4, 16, false);
        HessianCoder coder = HessianCoder.of(inputs.gram(), inputs.samples());
        CodedRows all = coder.code(weights, format, false);
        float[] some = java.util.Arrays.copyOfRange(weights, 64 * width, 100 * width);
        CodedRows part = coder.code(some, format, false);
        assertThat(part.codes)
                .as("seed %d", seed)
                .isEqualTo(java.util.Arrays.copyOfRange(all.codes, 64 * all.blocks * 16, all.codes.length));
        assertThat(part.scales).isEqualTo(java.util.Arrays.copyOfRange(all.scales, 64 * all.blocks, all.scales.length));
    }

    @Test
    void deadInputsGetTheCodeOfZero() {
        int width = 48;
        Inputs inputs = inputs(100, width, normal(10 * width), 7);
        float[] weights = normal(20 * width);
        CodedRows coded =
                HessianCoder.of(inputs.gram(), inputs.samples()).code(weights, new BlockFormat(4, 16, false), false);
        float[] made = coded.dequantized();
        for (int row = 0; row < 20; row++) {
            assertThat(made[row * width + 7]).as("seed %d", seed).isZero();
        }
    }

    @Test
    void infiniteInputsAreRefused() {
        double[][] gram = inputs(100, 16, 5).gram();
        gram[3][3] = Double.POSITIVE_INFINITY;
        assertThatThrownBy(() -> HessianCoder.of(gram, 100)).isInstanceOf(IllegalArgumentException.class);
    }
}
