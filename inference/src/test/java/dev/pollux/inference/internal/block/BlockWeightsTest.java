package dev.pollux.inference.internal.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.BlockEncoder;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

final class BlockWeightsTest {

    @TempDir
    Path folder;

    /** Held by {@code golden/gguf}: the codes and scales of the kernel, byte for byte. */
    @TestFactory
    Stream<DynamicTest> blocksGoOverWithoutLoss() throws IOException {
        Path set = ReferenceData.golden("gguf");
        JsonNode cases =
                JsonNode.parse(Files.readString(set.resolve("manifest.json"))).path("repack");
        List<JsonNode> exact = cases.valueStream().toList();
        assertThat(exact).isNotEmpty();
        return exact.stream()
                .map(c -> dynamicTest(c.path("name").asString(), () -> {
                    try (SafetensorsFile file = SafetensorsFile.open(set.resolve("repack-matmulnbits.safetensors"))) {
                        check(file, c);
                    }
                }));
    }

    private void check(SafetensorsFile reference, JsonNode c) {
        String name = c.path("name").asString();
        int bits = c.path("bits").asInt();
        byte[] stored = bytes(reference, name + ".gguf_bytes");
        // The 2-bit kernel is slow: what fits 2 bits goes into 4, as exactly.
        BlockWeights weights = repack(DType.valueOf(c.path("type").asString()), stored, c, Math.max(4, bits));
        if (bits > 2) {
            assertThat(weights.blockSize()).isEqualTo(c.path("block_size").asInt());
            assertThat(weights.codes()).isEqualTo(bytes(reference, name + ".B"));
            assertThat(weights.scales()).isEqualTo(reference.floats(name + ".scales"));
        }
        float[] wanted = reference.floats(name + ".dequant");
        for (int i = 0; i < wanted.length; i++) {
            assertThat(value(weights, i)).isEqualTo(wanted[i]);
        }
        if (bits <= 4) { // 4-bit codes in 8 bits are as exact
            BlockWeights wide = repack(DType.valueOf(c.path("type").asString()), stored, c, 8);
            for (int i = 0; i < wanted.length; i++) {
                assertThat(value(wide, i)).isEqualTo(wanted[i]);
            }
        }
    }

    private BlockWeights repack(DType type, byte[] stored, JsonNode c, int bits) {
        int rows = c.path("N").asInt();
        int columns = c.path("K").asInt();
        Path path = new GgufBuilder()
                .tensor("w", type, stored, rows, columns)
                .write(folder.resolve(c.path("name").asString() + bits + ".gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            return BlockWeights.exact(
                    StackedMatrix.of(file, List.of("w"), columns), bits, BlockCodes.blockSize(List.of(type)));
        }
    }

    @Test
    void roundingErrsByHalfAStepAtMost() {
        float[] values = new float[3 * 64];
        Random random = new Random(8);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Path path = new GgufBuilder().floats("w", values, 3, 64).write(folder.resolve("f.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            BlockWeights weights = BlockWeights.rounded(StackedMatrix.of(file, List.of("w"), 64), 8, 32);
            for (int i = 0; i < values.length; i++) {
                float step = Math.abs(weights.scales()[i / 32]);
                assertThat(Math.abs(value(weights, i) - values[i])).isLessThanOrEqualTo(step * 0.50001f);
            }
        }
    }

    private static float value(BlockWeights weights, int i) {
        int code = weights.bits() == 8 ? weights.codes()[i] & 0xff : weights.codes()[i / 2] >> i % 2 * 4 & 15;
        return (code - (1 << weights.bits() - 1)) * weights.scales()[i / weights.blockSize()];
    }

    private static byte[] bytes(SafetensorsFile file, String name) {
        ByteBuffer buffer = file.bytes(name, 0, (int) file.info(name).byteLength());
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    /** Packed integers, and the halves of MXFP4, are integers under a scale of 32 bits. */
    @Test
    void packedBlocksGoOverWithoutLoss() throws IOException {
        Random random = new Random(5);
        for (DType type : List.of(DType.PACKED_INT4, DType.PACKED_INT8, DType.MXFP4)) {
            byte[] stored = new byte[4 * type.blockBytes()];
            random.nextBytes(stored);
            for (int block = 0; block < 4; block++) {
                if (type == DType.MXFP4) {
                    stored[block * type.blockBytes()] = (byte) (120 + block * 4);
                } else {
                    ByteBuffer.wrap(stored)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putFloat(block * type.blockBytes(), random.nextFloat());
                }
            }
            TensorInfo info = new TensorInfo("w", type, List.of(2L, 64L), 0, stored.length);
            TensorFile file = new InMemory(info, stored);
            float[] wanted = file.floats("w");
            for (int bits : type == DType.PACKED_INT4 ? new int[] {4, 8} : new int[] {8}) {
                assertThat(BlockCodes.fit(List.of(type), bits)).isTrue();
                BlockWeights weights = BlockWeights.exact(StackedMatrix.of(file, List.of("w"), 64), bits, 32);
                for (int i = 0; i < wanted.length; i++) {
                    assertThat(value(weights, i)).as("%s %d", type, i).isEqualTo(wanted[i]);
                }
            }
        }
    }

    /** An element is its code times its scale, and what the columns of its block's mean add. */
    @Test
    void minimaGoIntoFurtherColumns() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (DType type : List.of(DType.Q4_1, DType.Q4_K)) {
            for (int columns : new int[] {256, 768, 1536, 4096}) {
                float[] values = new float[3 * columns];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextGaussian();
                }
                checkMinima(type, values, columns, "seed " + seed + ", " + type + " of width " + columns);
            }
        }
    }

    private void checkMinima(DType type, float[] values, int columns, String about) {
        ByteBuffer stored = ByteBuffer.allocate(values.length / type.blockSize() * type.blockBytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        BlockEncoder.encode(type, values, 0, values.length, stored);
        Path path = new GgufBuilder()
                .tensor("w", type, stored.array(), 3, columns)
                .write(folder.resolve(type + "." + columns + ".gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            float[] wanted = file.floats("w");
            BlockWeights weights = BlockWeights.withMinima(StackedMatrix.of(file, List.of("w"), columns));
            int blocks = columns / 32;
            int appended = MinimumColumns.of(columns).columns();
            int width = weights.scales().length / 3 * 32;
            assertThat(width).as(about).isGreaterThanOrEqualTo(columns + appended);
            double[] middles = new double[3 * blocks];
            for (int row = 0; row < 3; row++) {
                for (int i = 0; i < width - columns; i++) {
                    double value = value(weights, row * width + columns + i);
                    if (i >= appended) {
                        assertThat(value).as(about).isZero();
                    }
                    middles[row * blocks + i % blocks] += value / 32;
                }
            }
            double most = Arrays.stream(middles).map(Math::abs).max().orElseThrow();
            for (int i = 0; i < wanted.length; i++) {
                double value = value(weights, i / columns * width + i % columns) + middles[i / 32];
                assertThat(value).as(about).isCloseTo(wanted[i], within(most / 64));
            }
        }
    }

    private record InMemory(TensorInfo info, byte[] stored) implements TensorFile {
        @Override
        public Map<String, TensorInfo> tensors() {
            return Map.of(info.name(), info);
        }

        @Override
        public ByteBuffer bytes(String name, long offset, int length) {
            return ByteBuffer.wrap(stored, (int) offset, length).slice().order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public void close() {}
    }
}
