package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every case of the golden set {@code quantize/algorithms}. */
@NoLeaks
class AlgorithmGoldenTest {

    /** Codes are equal except where the value before rounding is so close to a half. */
    private static final double HALF = 1e-9;

    /** The manifest gives errors of weights computed in double precision. */
    private static final double SAME_ERROR = 1e-6;

    /** A difference in a tie of the runtime's single precision moves the error of a whole matrix by less. */
    private static final double NEAR_ERROR = 0.02;

    @TestFactory
    Stream<DynamicTest> everyCalibrationFreeCaseHasTheReferenceCodes() throws IOException {
        return Tensors.cases("algorithms", "calibration_free").stream()
                .filter(one -> !one.path("ok").isBoolean() || one.path("ok").asBoolean())
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> check(one)));
    }

    private static void check(JsonNode one) {
        String name = one.path("name").asString();
        String kind = name.substring(0, name.indexOf('.'));
        BlockFormat format =
                new BlockFormat(one.path("bits").asInt(), one.path("block_size").asInt(), false);
        try (SafetensorsFile file = Tensors.open("algorithms", "algorithms.safetensors")) {
            Tensors source = new Tensors(file, kind);
            Tensors result = new Tensors(file, name);
            int k = source.dim("W", 0);
            float[] w = Tensors.transposed(source.floats("W"), k, source.dim("W", 1));
            if (one.path("source").asString().equals("onnxruntime")) {
                library(one, result, w, k, format);
            } else {
                reference(one, source, result, w, k, format);
            }
        }
    }

    /** The layout of the runtime's tools, and the algorithms that exist here too. */
    private static void library(JsonNode one, Tensors result, float[] w, int k, BlockFormat format) {
        float[] stored = dequantized(result, w.length / k, k, format);
        assertThat(Tensors.relative(Tensors.doubles(stored), Tensors.doubles(w)))
                .isEqualTo(one.path("rel_frobenius").asDouble(), within(SAME_ERROR));
        String algorithm = one.path("algorithm").asString();
        if (algorithm.startsWith("default")) {
            boolean symmetric = algorithm.endsWith("_sym");
            CodedRows coded =
                    CodedRows.of(w, k, format, new OnnxRuntimeRounding(symmetric, OnnxRuntimeRounding.Target.MATMUL));
            assertThat(coded.packedBlocks()).isEqualTo(result.bytes("B"));
            assertThat(coded.scales).isEqualTo(result.floats("scales"));
            if (!symmetric) {
                assertThat(coded.packedZeros()).isEqualTo(result.bytes("zero_points"));
            }
        } else if (algorithm.startsWith("kquant")) {
            CodedRows coded = CodedRows.of(w, k, format, new KQuant());
            assertThat(Math.sqrt(coded.squaredError() / coded.squaredNorm()))
                    .isLessThanOrEqualTo(one.path("rel_frobenius").asDouble() * (1 + NEAR_ERROR));
        }
    }

    private static float[] dequantized(Tensors result, int n, int k, BlockFormat format) {
        byte[] codes = result.bytes("B");
        float[] scales = result.floats("scales");
        int blocks = format.blocks(k);
        float[] values = new float[n * k];
        for (int row = 0; row < n; row++) {
            for (int c = 0; c < k; c++) {
                int block = row * blocks + c / format.blockSize();
                int code = PackedCodes.get(codes, block * format.codeBytes(), c % format.blockSize(), format.bits());
                values[row * k + c] =
                        (code - zero(result, row, c / format.blockSize(), blocks, format)) * scales[block];
            }
        }
        return values;
    }

    private static float zero(Tensors result, int row, int block, int blocks, BlockFormat format) {
        if (!result.has("zero_points")) {
            return format.middle();
        }
        if (result.file().info(result.name() + ".zero_points").type() == dev.pollux.tensor.DType.F32) {
            return result.floats("zero_points")[row * blocks + block];
        }
        return PackedCodes.get(
                result.bytes("zero_points"), row * PackedCodes.bytes(blocks, format.bits()), block, format.bits());
    }

    private static void reference(JsonNode one, Tensors source, Tensors result, float[] w, int k, BlockFormat format) {
        String algorithm = one.path("algorithm").asString();
        double[] importance =
                algorithm.endsWith("importance") ? Tensors.doubles(source.floats("importance")) : new double[0];
        CodedRows coded = CodedRows.of(w, k, format, method(algorithm, w, k, format), importance);
        assertThat(Math.sqrt(coded.squaredError() / coded.squaredNorm()))
                .isEqualTo(one.path("rel_frobenius").asDouble(), within(SAME_ERROR));
        if (result.has("codes")) {
            same(result, coded, w, k, format);
        }
    }

    private static void same(Tensors result, CodedRows coded, float[] w, int k, BlockFormat format) {
        float[] scales = result.floats("scales");
        for (int i = 0; i < scales.length; i++) {
            assertThat(coded.scales[i]).isEqualTo(scales[i], within(Math.ulp(scales[i])));
        }
        byte[] codes = result.bytes("codes");
        if (result.has("zero_points_float")) {
            float[] zeros = result.floats("zero_points_float");
            for (int i = 0; i < zeros.length; i++) {
                assertThat(coded.zeros[i]).isEqualTo(zeros[i], within(2e-6f));
            }
        } else if (result.has("zero_points")) {
            assertThat(coded.zeroCodes()).isEqualTo(result.bytes("zero_points"));
        }
        for (int i = 0; i < codes.length; i++) {
            if (coded.codes[i] != codes[i]) {
                int block = i / format.blockSize();
                double x = w[
                        block / coded.blocks * k + block % coded.blocks * format.blockSize() + i % format.blockSize()];
                double before = x / coded.scales[block] + coded.zeros[block];
                assertThat(Math.abs(before - Math.floor(before) - 0.5)).isLessThan(HALF);
            }
        }
    }

    private static BlockMethod method(String algorithm, float[] w, int k, BlockFormat format) {
        return switch (algorithm) {
            case "ref_rtn_sym" -> new RoundToNearest(true);
            case "ref_rtn_asym" -> new RoundToNearest(false);
            case "ref_joint", "ref_joint_importance" -> new JointSearch(false);
            case "ref_joint_safe" -> new JointSearch(true);
            case "ref_symmetric_ls" -> new SymmetricLeastSquares();
            case "ref_hqq_float_zp" -> halfQuadratic(w, k, format, false);
            case "ref_hqq_int_zp" -> halfQuadratic(w, k, format, true);
            default -> throw new AssertionError("no algorithm " + algorithm);
        };
    }

    private static BlockMethod halfQuadratic(float[] w, int k, BlockFormat format, boolean wholeZeros) {
        return HalfQuadratic.of(HalfQuadratic.iterations(HalfQuadratic.errors(w, k, format, wholeZeros)), wholeZeros);
    }

    @TestFactory
    Stream<DynamicTest> everyHandMadeBlockIsAtLeastAsGoodAsTheReference() throws IOException {
        return Tensors.cases("algorithms", "hand_blocks").stream()
                .map(one -> DynamicTest.dynamicTest(one.path("block").asString(), () -> hand(one)));
    }

    private static void hand(JsonNode one) {
        try (SafetensorsFile file = Tensors.open("algorithms", "algorithms.safetensors")) {
            Tensors block = new Tensors(file, "hand." + one.path("block").asString());
            float[] w = block.floats("W");
            BlockFormat format = new BlockFormat(4, w.length, false);
            hand(one, "mlas_asym", w, format, new OnnxRuntimeRounding(false, OnnxRuntimeRounding.Target.MATMUL));
            hand(one, "mlas_sym", w, format, new OnnxRuntimeRounding(true, OnnxRuntimeRounding.Target.MATMUL));
            hand(one, "ref_joint", w, format, new JointSearch(false));
        }
    }

    private static void hand(JsonNode one, String algorithm, float[] w, BlockFormat format, BlockMethod method) {
        JsonNode expected = one.path(algorithm);
        CodedRows coded = CodedRows.of(w, w.length, format, method);
        assertThat((double) coded.scales[0])
                .as(algorithm)
                .isEqualTo(expected.path("scale").asDouble(), within(1e-7));
        assertThat((int) coded.zeros[0])
                .as(algorithm)
                .isEqualTo(expected.path("zp").asInt());
        float[] back = coded.dequantized();
        double most = 0;
        for (int i = 0; i < w.length; i++) {
            most = Math.max(most, Math.abs(back[i] - w[i]));
        }
        assertThat(most).as(algorithm).isEqualTo(expected.path("max_abs_error").asDouble(), within(1e-6));
    }

    @TestFactory
    Stream<DynamicTest> gptqHasTheReferenceCodesAndOutputErrors() throws IOException {
        return Tensors.cases("algorithms", "gptq").stream()
                .flatMap(one -> Stream.of(Gptq.Variant.values())
                        .map(variant -> DynamicTest.dynamicTest(
                                one.path("layer").asString() + " "
                                        + one.path("bits").asInt() + " bits "
                                        + one.path("symmetric").asBoolean() + " " + variant,
                                () -> gptq(one, variant))));
    }

    private static void gptq(JsonNode one, Gptq.Variant variant) {
        boolean symmetric = one.path("symmetric").asBoolean();
        String reference = switch (variant) {
            case PLAIN -> "plain";
            case STATIC_GROUPS -> "static_groups";
            case ACTIVATION_ORDER -> "act_order_static";
        };
        String layer = "gptq." + one.path("layer").asString();
        BlockFormat format =
                new BlockFormat(one.path("bits").asInt(), one.path("group").asInt(), false);
        try (SafetensorsFile file = Tensors.open("algorithms", "algorithms.safetensors")) {
            Tensors source = new Tensors(file, layer);
            Tensors result =
                    new Tensors(file, layer + ".b" + format.bits() + (symmetric ? "_sym_" : "_asym_") + reference);
            int k = source.dim("W", 0);
            int n = source.dim("W", 1);
            Gptq gptq = Gptq.of(
                    gram(source.floats("X_calib"), k),
                    2.0 / source.dim("X_calib", 0),
                    one.path("damping").asDouble(),
                    variant);
            float[] w = Tensors.transposed(source.floats("W"), k, n);
            CodedRows coded = gptq.rows(w, format, new RoundToNearest(symmetric));
            float[] made = coded.dequantized();
            int differing = 0;
            for (int row = 0; row < n; row++) {
                for (int j = 0; j < k; j++) {
                    byte code = coded.codes[row * coded.blocks * format.blockSize() + j];
                    differing += code == result.bytes("codes")[j * n + row] ? 0 : 1;
                }
            }
            assertThat(differing).as("codes that differ").isZero();
            assertThat(outputError(source.floats("X_calib"), w, made, k))
                    .isEqualTo(one.path(reference + "_calib").asDouble(), within(1e-6));
            double error = outputError(source.floats("X_test"), w, made, k);
            assertThat(error).isEqualTo(one.path(reference + "_test").asDouble(), within(1e-6));
        }
    }

    /** On inputs that the codes were not chosen on. */
    @TestFactory
    Stream<DynamicTest> codesChosenOnInputsLeaveHalfOfTheErrorOfRounding() throws IOException {
        return Tensors.cases("algorithms", "gptq").stream()
                .map(one -> DynamicTest.dynamicTest(
                        one.path("layer").asString() + " " + one.path("bits").asInt() + " bits "
                                + one.path("symmetric").asBoolean(),
                        () -> half(one)));
    }

    private static void half(JsonNode one) {
        BlockFormat format =
                new BlockFormat(one.path("bits").asInt(), one.path("group").asInt(), false);
        boolean symmetric = one.path("symmetric").asBoolean();
        try (SafetensorsFile file = Tensors.open("algorithms", "algorithms.safetensors")) {
            Tensors source = new Tensors(file, "gptq." + one.path("layer").asString());
            int k = source.dim("W", 0);
            float[] w = Tensors.transposed(source.floats("W"), k, source.dim("W", 1));
            CodedRows coded = HessianCoder.of(gram(source.floats("X_calib"), k), source.dim("X_calib", 0))
                    .code(w, format, symmetric);
            assertThat(outputError(source.floats("X_test"), w, coded.dequantized(), k))
                    .isLessThanOrEqualTo(0.5 * one.path("rtn_test").asDouble());
            assertThat(outputError(source.floats("X_calib"), w, coded.dequantized(), k))
                    .isLessThanOrEqualTo(one.path("act_order_static_calib").asDouble());
        }
    }

    private static double[][] gram(float[] x, int k) {
        int n = x.length / k;
        double[][] h = new double[k][k];
        for (int row = 0; row < n; row++) {
            for (int i = 0; i < k; i++) {
                for (int j = 0; j < k; j++) {
                    h[i][j] += (double) x[row * k + i] * x[row * k + j];
                }
            }
        }
        return h;
    }

    private static double outputError(float[] x, float[] w, float[] made, int k) {
        return Tensors.relative(Tensors.product(x, made, k), Tensors.product(x, w, k));
    }

    /** A case without a matching algorithm would be skipped silently. */
    @TestFactory
    Stream<DynamicTest> everyFailureOfTheLibraryWorksHere() throws IOException {
        return Tensors.cases("algorithms", "calibration_free").stream()
                .filter(one -> one.path("ok").isBoolean() && !one.path("ok").asBoolean())
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> {
                    String name = one.path("name").asString();
                    try (SafetensorsFile file = Tensors.open("algorithms", "algorithms.safetensors")) {
                        Tensors source = new Tensors(file, name.substring(0, name.indexOf('.')));
                        int k = source.dim("W", 0);
                        int n = source.dim("W", 1);
                        BlockFormat format = new BlockFormat(
                                one.path("bits").asInt(), one.path("block_size").asInt(), false);
                        CodedRows coded =
                                CodedRows.of(Tensors.transposed(source.floats("W"), k, n), k, format, new KQuant());
                        assertThat(coded.packedZeros()).hasSize(n * PackedCodes.bytes(format.blocks(k), format.bits()));
                    }
                }));
    }
}
