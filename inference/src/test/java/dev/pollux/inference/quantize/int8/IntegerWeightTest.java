package dev.pollux.inference.quantize.int8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.quantize.int8.IntegerFormat.Type;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntegerWeightTest {

    private static final IntegerFormat INT8 = new IntegerFormat(Type.INT8, true, false);
    private static final IntegerFormat UINT8 = new IntegerFormat(Type.UINT8, false, false);

    private static Weight weight(float[] values, long... shape) {
        return new Weight("w", ElementType.FLOAT, Shape.of(shape), WeightSource.floats(() -> values));
    }

    private static byte[] bytes(Weight weight) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        weight.source().writeTo(piece -> {
            byte[] some = new byte[piece.remaining()];
            piece.get(some);
            all.writeBytes(some);
        });
        return all.toByteArray();
    }

    @Test
    void aSymmetricScaleIsTheGreatestMagnitudeOver127() {
        IntegerWeight weight =
                IntegerWeight.of(weight(new float[] {-2.54f, 1, 0, .01f}, 2, 2), INT8, OptionalInt.empty());

        assertThat(weight.scales()).containsExactly(.02f);
        assertThat(weight.zeros()).containsExactly(0);
        assertThat(bytes(weight.codeWeight("codes"))).containsExactly(-127, 50, 0, 0);
    }

    @Test
    void aReducedRangeEndsAt64() {
        IntegerFormat reduced = new IntegerFormat(Type.INT8, true, true);
        IntegerWeight weight = IntegerWeight.of(weight(new float[] {-64, 64, 1.4f}, 3), reduced, OptionalInt.empty());

        assertThat(bytes(weight.codeWeight("codes"))).containsExactly(-64, 64, 1);
    }

    @Test
    void anUnsignedRangeContainsZero() {
        IntegerWeight weight = IntegerWeight.of(weight(new float[] {51, 102, 255}, 3), UINT8, OptionalInt.empty());

        assertThat(weight.scales()).containsExactly(1f);
        assertThat(weight.zeros()).containsExactly(0);
    }

    @Test
    void aChannelOfZerosHasScale1AndZero0() {
        IntegerWeight weight = IntegerWeight.of(weight(new float[] {0, 127, 0, -127}, 2, 2), INT8, OptionalInt.of(1));

        assertThat(weight.scales()).containsExactly(1f, 1f);
        assertThat(weight.zeros()).containsExactly(0, 0);
        assertThat(bytes(weight.codeWeight("codes"))).containsExactly(0, 127, 0, -127);
    }

    @Test
    void codesOfATransposedWeightAreTheTransposedCodes() {
        long seed = 20260;
        Random random = new Random(seed);
        float[] values = new float[5 * 3];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        IntegerWeight weight = IntegerWeight.of(weight(values, 5, 3), INT8, OptionalInt.of(0));
        byte[] codes = bytes(weight.codeWeight("codes"));
        byte[] turned = bytes(weight.transposedCodeWeight("turned"));

        for (int row = 0; row < 5; row++) {
            for (int column = 0; column < 3; column++) {
                assertThat(turned[column * 5 + row]).as("seed " + seed).isEqualTo(codes[row * 3 + column]);
            }
        }
    }

    @Test
    void theErrorIsThatOfTheDecodedValues() {
        float[] values = {1.27f, .004f};
        IntegerWeight weight = IntegerWeight.of(weight(values, 2), INT8, OptionalInt.empty());

        assertThat(weight.relativeError()).isCloseTo(.004 / 1.27, within(1e-5));
        assertThat(weight.bytes()).isEqualTo(2 + 5);
    }

    @Test
    void aWeightThatIsNotFiniteIsRefused() {
        Weight bad = weight(new float[] {1, Float.NaN}, 2);

        assertThatThrownBy(
                        () -> IntegerWeight.of(bad, INT8, OptionalInt.empty()).scales())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "The weight w has the value NaN at index 1; only finite weights can be quantized, so repair the model"
                                + " first");
    }

    @Test
    void aWeightThatIsCutOffIsRefused() {
        Weight bad = new Weight(
                "w",
                ElementType.FLOAT,
                Shape.of(2),
                WeightSource.of(() -> ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN)));

        assertThatThrownBy(
                        () -> IntegerWeight.of(bad, INT8, OptionalInt.empty()).scales())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The weight w of shape [2] must have 2 floats but has 1");
    }

    @Test
    void aScaleGrowsUntilTheBiasFits() {
        Weight bias = weight(new float[] {1, 1000}, 2);
        IntegerWeight weight =
                IntegerWeight.of(weight(new float[] {1e-6f, 1, 1e-6f, 1}, 2, 2), INT8, OptionalInt.of(1));
        float[] before = weight.scales();
        float[] after = BiasCodes.fitting(bias, weight, 1e-3f).scales();

        assertThat(after[0]).isGreaterThan(before[0]);
        assertThat(after[1]).isEqualTo(before[1]);
        assertThat(1 / (1e-3 * after[0])).isLessThan(Integer.MAX_VALUE);
    }
}
