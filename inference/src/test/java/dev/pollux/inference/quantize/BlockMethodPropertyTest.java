package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.quantization.QuantizationMethod;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds for every method, on random blocks of many kinds. */
class BlockMethodPropertyTest {

    private static final int ROWS = 40;
    private static final List<Integer> BITS = List.of(2, 4, 8);
    private static final List<Integer> BLOCKS = List.of(16, 32, 64, 128, 256);

    /** Rounding of sums. */
    private static final double SLACK = 1e-9;

    private Random random = new Random();

    @BeforeEach
    void seed() {
        long seed = new Random().nextLong();
        System.out.println("BlockMethodPropertyTest seed " + seed);
        random = new Random(seed);
    }

    private static Map<QuantizationMethod, BlockMethod> methods() {
        Map<QuantizationMethod, BlockMethod> methods = new LinkedHashMap<>();
        methods.put(QuantizationMethod.ROUND_TO_NEAREST, new RoundToNearest(false));
        methods.put(QuantizationMethod.SEARCH, new JointSearch(true));
        methods.put(QuantizationMethod.LEAST_SQUARES, new SymmetricLeastSquares());
        methods.put(QuantizationMethod.K_QUANT, new KQuant());
        methods.put(QuantizationMethod.HQQ, HalfQuadratic.of(3, true));
        return methods;
    }

    /** Rows of normal values, with outliers, of one sign, constant, of zeros, tiny and huge. */
    private float[] rows(int columns) {
        float[] values = new float[ROWS * columns];
        for (int row = 0; row < ROWS; row++) {
            int kind = random.nextInt(7);
            double scale = Math.pow(10, random.nextInt(9) - 5);
            for (int c = 0; c < columns; c++) {
                double x = random.nextGaussian();
                values[row * columns + c] = (float)
                        switch (kind) {
                            case 0 -> 0;
                            case 1 -> scale;
                            case 2 -> Math.abs(x) * scale;
                            case 3 -> -Math.abs(x) * scale;
                            case 4 -> random.nextInt(20) == 0 ? 50 * x * scale : x * scale;
                            default -> x * scale;
                        };
            }
        }
        return values;
    }

    private static double error(float[] values, CodedRows coded, int row) {
        float[] made = coded.dequantized();
        double sum = 0;
        for (int c = 0; c < coded.columns; c++) {
            double off = values[row * coded.columns + c] - (double) made[row * coded.columns + c];
            sum += off * off;
        }
        return sum;
    }

    @Test
    void searchIsNeverWorseThanRoundingInAnyRow() {
        for (int bits : BITS) {
            for (int block : BLOCKS) {
                int columns = block + random.nextInt(2 * block);
                float[] values = rows(columns);
                BlockFormat format = new BlockFormat(bits, block, random.nextBoolean());
                CodedRows rounded = CodedRows.of(values, columns, format, new RoundToNearest(false));
                CodedRows searched = CodedRows.of(values, columns, format, new JointSearch(true));
                for (int row = 0; row < ROWS; row++) {
                    double most = error(values, rounded, row);
                    assertThat(error(values, searched, row))
                            .as("%d bits, block %d, row %d", bits, block, row)
                            .isLessThanOrEqualTo(most * (1 + 1e-6) + SLACK * most);
                }
            }
        }
    }

    @Test
    void codesAndZeroPointsAreInRangeAndTheMeasuredErrorIsThatOfTheCodes() {
        for (int bits : BITS) {
            int columns = 16 + random.nextInt(200);
            float[] values = rows(columns);
            BlockFormat format = new BlockFormat(bits, 32, false);
            methods().forEach((method, coder) -> {
                CodedRows coded = CodedRows.of(values, columns, format, coder);
                for (float zero : coded.zeros) {
                    assertThat(zero).as(method.text()).isBetween(0f, (float) format.maxCode());
                    assertThat(zero).isEqualTo(Math.round(zero));
                }
                for (byte code : coded.codes) {
                    assertThat(code & 0xff).as(method.text()).isLessThanOrEqualTo(format.maxCode());
                }
                for (float scale : coded.scales) {
                    assertThat(Float.isFinite(scale)).as(method.text()).isTrue();
                }
                double sum = 0;
                for (int row = 0; row < ROWS; row++) {
                    sum += error(values, coded, row);
                }
                assertThat(coded.squaredError())
                        .as(method.text())
                        .isBetween(sum * (1 - 1e-3), sum * (1 + 1e-3) + SLACK * coded.squaredNorm());
            });
        }
    }

    /** The codes of a row do not depend on the rows that are coded with it. */
    @Test
    void everyMethodGivesTheSameCodesForARowAloneAndAmongOthers() {
        int columns = 100;
        float[] values = rows(columns);
        for (int bits : BITS) {
            BlockFormat format = new BlockFormat(bits, 32, false);
            methods().forEach((method, coder) -> {
                CodedRows all = CodedRows.of(values, columns, format, coder);
                CodedRows again = CodedRows.of(values, columns, format, coder);
                assertThat(again.codes).as(method.text()).isEqualTo(all.codes);
                int row = random.nextInt(ROWS);
                float[] alone = Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
                CodedRows one = CodedRows.of(alone, columns, format, coder);
                assertThat(one.packedBlocks())
                        .as("%s, %d bits, row %d", method.text(), bits, row)
                        .isEqualTo(Arrays.copyOfRange(
                                all.packedBlocks(),
                                row * one.packedBlocks().length,
                                (row + 1) * one.packedBlocks().length));
            });
        }
    }

    @Test
    void weightsThatAreCodesAlreadyKeepTheirValues() {
        for (int bits : BITS) {
            BlockFormat format = new BlockFormat(bits, 32, false);
            int columns = 64;
            float[] values = new float[ROWS * columns];
            for (int i = 0; i < values.length; i++) {
                values[i] = (random.nextInt(format.maxCode() + 1) - format.middle()) * 0.25f;
            }
            for (int block = 0; block * 32 < values.length; block++) {
                values[block * 32] = -format.middle() * 0.25f; // the whole range is used
                values[block * 32 + 1] = (format.maxCode() - format.middle()) * 0.25f;
            }
            for (BlockMethod coder : List.of(new RoundToNearest(false), new JointSearch(true))) {
                assertThat(CodedRows.of(values, columns, format, coder).dequantized())
                        .isEqualTo(values);
            }
        }
    }
}
