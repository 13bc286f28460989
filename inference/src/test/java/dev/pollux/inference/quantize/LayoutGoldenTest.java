package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.quantize.OnnxRuntimeRounding.Target;
import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every case of the golden sets {@code quantize/matmulnbits}, {@code gather}, {@code qdq} and {@code qmoe}. */
@NoLeaks
class LayoutGoldenTest {

    /** The runtime adds in single precision. */
    private static final double LEVEL_0 = 2e-6;

    private static final double LEVEL_4 = 1e-6;
    private static final double HALF = 1e-3;
    private static final double MIXTURE = 1e-6;
    private static final double MIXTURE_2_BITS = 2e-2;

    @TestFactory
    Stream<DynamicTest> everyMatMulNBitsCase() throws IOException {
        return Tensors.cases("matmulnbits", "cases").stream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> blocks(one)));
    }

    private static void blocks(JsonNode one) {
        int bits = one.path("bits").asInt();
        int k = one.path("K").asInt();
        boolean half = one.path("dtype").asString().equals("float16");
        boolean symmetric = one.path("symmetric").asBoolean();
        BlockFormat format = new BlockFormat(bits, one.path("block_size").asInt(), half);
        try (SafetensorsFile file = Tensors.open("matmulnbits", "bits" + bits + ".safetensors")) {
            Tensors tensors = new Tensors(file, one.path("name").asString());
            float[] w = Tensors.transposed(tensors.floats("W"), k, one.path("N").asInt());
            CodedRows coded = CodedRows.of(w, k, format, new OnnxRuntimeRounding(symmetric, Target.MATMUL));
            if (!half) {
                assertCodes(coded, tensors.bytes("B"));
                assertThat(coded.scales).isEqualTo(tensors.floats("scales"));
                if (!symmetric) {
                    assertThat(coded.packedZeros()).isEqualTo(tensors.bytes("zero_points"));
                }
                assertThat(coded.dequantized()).isEqualTo(tensors.floats("dequant"));
            }
            float[] a = tensors.floats("A");
            double[] exact = Tensors.product(a, tensors.floats("dequant"), k);
            double[] level0 = Tensors.doubles(tensors.floats("Y_level0"));
            double[] level4 = Tensors.doubles(tensors.floats("Y_level4"));
            assertThat(Tensors.relative(level0, exact)).isLessThan(half ? HALF : LEVEL_0);
            boolean decodes = bits == 2 && (format.blockSize() == 16 || format.blockSize() == 256);
            if (!half) {
                assertThat(Tensors.relative(level4, decodes ? exact : level4(a, coded)))
                        .isLessThan(decodes ? LEVEL_0 : LEVEL_4);
            }
        }
    }

    /** All codes but those beyond the last column. */
    private static void assertCodes(CodedRows coded, byte[] expected) {
        byte[] packed = coded.packedBlocks();
        assertThat(packed).hasSameSizeAs(expected);
        int blockBytes = coded.blockSize * coded.bits / 8;
        for (int row = 0; row < coded.rows; row++) {
            for (int c = 0; c < coded.columns; c++) {
                int at = (row * coded.blocks + c / coded.blockSize) * blockBytes;
                assertThat(PackedCodes.get(packed, at, c % coded.blockSize, coded.bits))
                        .isEqualTo(PackedCodes.get(expected, at, c % coded.blockSize, coded.bits));
            }
        }
    }

    /** The kernel with activations in 8 bits, by row and block. */
    private static double[] level4(float[] a, CodedRows coded) {
        int k = coded.columns;
        int rows = a.length / k;
        double[] y = new double[rows * coded.rows];
        for (int row = 0; row < rows; row++) {
            for (int block = 0; block < coded.blocks; block++) {
                int from = block * coded.blockSize;
                int to = Math.min(k, from + coded.blockSize);
                float most = 0;
                for (int c = from; c < to; c++) {
                    most = Math.max(most, Math.abs(a[row * k + c]));
                }
                float scale = most / 127;
                for (int n = 0; n < coded.rows; n++) {
                    int at = n * coded.blocks + block;
                    double sum = 0;
                    for (int c = from; c < to; c++) {
                        double rounded = most == 0 ? 0 : Math.rint(a[row * k + c] * (127 / most));
                        sum += rounded * ((coded.codes[at * coded.blockSize + c - from] & 0xff) - coded.zeros[at]);
                    }
                    y[row * coded.rows + n] += (double) scale * coded.scales[at] * sum;
                }
            }
        }
        return y;
    }

    @TestFactory
    Stream<DynamicTest> everyGatherCase() throws IOException {
        return Tensors.cases("gather", "cases").stream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> gather(one)));
    }

    private static void gather(JsonNode one) {
        int d = one.path("D").asInt();
        int v = one.path("V").asInt();
        boolean symmetric = one.path("symmetric").asBoolean();
        BlockFormat format =
                new BlockFormat(one.path("bits").asInt(), one.path("block_size").asInt(), false);
        try (SafetensorsFile file = Tensors.open("gather", "gather.safetensors")) {
            Tensors tensors = new Tensors(file, one.path("name").asString());
            boolean apart = one.path("form").asString().equals("uint8");
            byte[] data = tensors.bytes(apart ? "data" : "data_raw");
            byte[] zeros = symmetric ? new byte[0] : tensors.bytes(apart ? "zero_points" : "zero_points_raw");
            if (!apart) {
                CodedRows coded =
                        CodedRows.of(tensors.floats("W"), d, format, new OnnxRuntimeRounding(symmetric, Target.GATHER));
                assertThat(across(coded, coded.codes, d, symmetric)).isEqualTo(data);
                assertThat(coded.scales).isEqualTo(tensors.floats("scales"));
            }
            float[] scales = tensors.floats("scales");
            float[] y = tensors.floats("Y");
            long[] ids = tensors.longs("ids");
            int blocks = format.blocks(d);
            for (int i = 0; i < ids.length; i++) {
                int row = (int) (ids[i] < 0 ? ids[i] + v : ids[i]);
                for (int c = 0; c < d; c++) {
                    int block = c / format.blockSize();
                    float zero = zero(zeros, row, block, blocks, format, apart);
                    int code = apart
                            ? PackedCodes.get(data, row * PackedCodes.bytes(d, format.bits()), c, format.bits())
                            : signed(PackedCodes.get(data, 0, row * d + c, format.bits()), symmetric);
                    assertThat((code - (symmetric && !apart ? 0 : zero)) * scales[row * blocks + block])
                            .isEqualTo(y[i * d + c]);
                }
            }
        }
    }

    private static float zero(byte[] zeros, int row, int block, int blocks, BlockFormat format, boolean apart) {
        if (zeros.length == 0) {
            return format.middle();
        }
        return apart
                ? PackedCodes.get(zeros, row * PackedCodes.bytes(blocks, format.bits()), block, format.bits())
                : PackedCodes.get(zeros, 0, row * blocks + block, format.bits());
    }

    private static int signed(int code, boolean symmetric) {
        return symmetric && code > 7 ? code - 16 : code;
    }

    /** Codes packed across rows; signed ones are the unsigned minus the middle, in two's complement. */
    private static byte[] across(CodedRows coded, byte[] codes, int columns, boolean signed) {
        byte[] packed = new byte[PackedCodes.bytes(coded.rows * columns, coded.bits)];
        for (int row = 0; row < coded.rows; row++) {
            for (int c = 0; c < columns; c++) {
                int code = codes[row * coded.blocks * coded.blockSize + c];
                int mask = (1 << coded.bits) - 1;
                PackedCodes.put(packed, (long) row * columns + c, coded.bits, (byte)
                        (signed ? code - (1 << coded.bits - 1) & mask : code));
            }
        }
        return packed;
    }

    @TestFactory
    Stream<DynamicTest> everyQdqCase() throws IOException {
        return Tensors.cases("qdq", "cases").stream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> qdq(one)));
    }

    private static void qdq(JsonNode one) {
        int k = one.path("K").asInt();
        int n = one.path("N").asInt();
        BlockFormat format =
                new BlockFormat(one.path("bits").asInt(), one.path("block_size").asInt(), false);
        boolean signed = one.path("type").asString().startsWith("INT");
        try (SafetensorsFile file = Tensors.open("qdq", "qdq.safetensors")) {
            Tensors tensors = new Tensors(file, one.path("name").asString());
            byte[] raw = tensors.bytes("codes_raw");
            float[] scales = tensors.floats("scales"); // (blocks, N)
            if (tensors.has("W")) {
                float[] w = Tensors.transposed(tensors.floats("W"), k, n);
                CodedRows coded = CodedRows.of(w, k, format, new OnnxRuntimeRounding(signed, Target.QDQ));
                DequantizedForm form = new DequantizedForm(k, n, format, signed);
                form.put(0, coded);
                assertThat(form.codes()).isEqualTo(raw);
                assertThat(form.scales()).isEqualTo(scales);
                if (!signed) {
                    assertThat(form.zeros()).isEqualTo(tensors.bytes("zero_points_raw"));
                }
            }
            float[] dequant = tensors.floats("dequant");
            for (int row = 0; row < k; row++) {
                for (int c = 0; c < n; c++) {
                    int block = row / format.blockSize() * n + c;
                    int code = PackedCodes.get(raw, 0, row * n + c, format.bits());
                    int middle = format.middle();
                    int zero = tensors.has("zero_points_raw")
                            ? PackedCodes.get(tensors.bytes("zero_points_raw"), 0, block, format.bits())
                            : 0;
                    int value = signed ? (code ^ middle) - middle - zero : code - zero;
                    assertThat(value * scales[block]).isEqualTo(dequant[row * n + c]);
                }
            }
            if (tensors.has("Y_session_level0")) {
                double[] exact = Tensors.product(tensors.floats("A"), Tensors.transposed(dequant, k, n), k);
                assertThat(Tensors.relative(Tensors.doubles(tensors.floats("Y_session_level0")), exact))
                        .isLessThan(LEVEL_0);
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> everyQMoeCaseThatRuns() throws IOException {
        return Tensors.cases("qmoe", "cases").stream()
                .filter(one -> one.path("runs").asBoolean())
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> mixture(one)));
    }

    private static void mixture(JsonNode one) {
        try (SafetensorsFile file = Tensors.open("qmoe", "qmoe.safetensors")) {
            Tensors tensors = new Tensors(file, one.path("name").asString());
            assumeTrue(tensors.has("x"), "the set has no tensors of this case");
            boolean half = tensors.file().info(tensors.name() + ".x").type() == DType.F16;
            double[] made = new ReferenceMixture(one, tensors).run();
            double[] y = Tensors.doubles(tensors.floats("y"));
            int bits = one.path("bits").asInt();
            boolean lookup = bits == 2 && one.path("inter").asInt() % 64 == 0;
            assertThat(Tensors.relative(y, made)).isLessThan(half ? HALF : lookup ? MIXTURE_2_BITS : MIXTURE);
        }
    }

    /** Scales of 16 bits are rounded before codes are chosen, so that codes fit them. */
    @TestFactory
    Stream<DynamicTest> everyHalfPrecisionScaleIsStoredExactly() throws IOException {
        return Tensors.cases("matmulnbits", "cases").stream()
                .filter(one -> one.path("dtype").asString().equals("float16"))
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> {
                    int bits = one.path("bits").asInt();
                    int k = one.path("K").asInt();
                    BlockFormat format =
                            new BlockFormat(bits, one.path("block_size").asInt(), true);
                    try (SafetensorsFile file = Tensors.open("matmulnbits", "bits" + bits + ".safetensors")) {
                        Tensors tensors = new Tensors(file, one.path("name").asString());
                        float[] w = Tensors.transposed(
                                tensors.floats("W"), k, one.path("N").asInt());
                        boolean symmetric = one.path("symmetric").asBoolean();
                        for (BlockMethod method : new BlockMethod[] {
                            new OnnxRuntimeRounding(symmetric, Target.MATMUL),
                            new RoundToNearest(symmetric),
                            new JointSearch(true)
                        }) {
                            float[] scales = CodedRows.of(w, k, format, method).scales;
                            float[] rounded = Arrays.copyOf(scales, scales.length);
                            for (int i = 0; i < rounded.length; i++) {
                                rounded[i] = Float16.toFloat(Float16.fromFloat(rounded[i]));
                            }
                            assertThat(scales).isEqualTo(rounded);
                        }
                    }
                }));
    }
}
