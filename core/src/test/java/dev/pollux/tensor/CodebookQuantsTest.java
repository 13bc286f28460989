package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** One block of each format, of random bytes; the values are those of the gguf package of Python. */
class CodebookQuantsTest {

    private record Case(DType type, String block, float first, float last, double sum) {}

    @TestFactory
    Stream<DynamicTest> aBlockIsReadAsTheReferenceReadsIt() {
        return Stream.of(
                        new Case(
                                DType.IQ1_S,
                                "0038e5f1a94106a0956a26afbccdafe562f90a945f5693c642276ad5ab2da7394551370e99b2d74c3427fa48d732a1df70ac",
                                0.0625f,
                                2.1875f,
                                47.0),
                        new Case(
                                DType.IQ1_M,
                                "26115901dd06f27f8f063cd25e19a621f9bd0ccc21397c1ec795ca7748dc03d17a88934d85527357a2e64647f03e2fb81f023f0192858e3d",
                                6.5625f,
                                -0.8125f,
                                -60.0),
                        new Case(
                                DType.IQ2_XXS,
                                "0038f0711ef7677a1f132a818d882195a100b28d6b236b82481bd9fe630dc3ce3be4ebcab72f45b35223479f6e794d57037e2cfde9e15a7789781e3721a557d8e5a7",
                                -1.5f,
                                32.8125f,
                                -365.1875),
                        new Case(
                                DType.IQ2_XS,
                                "003881db3f65cf9c1bdc5d1d8fc83f0b0bb4db71be572209851d3d24f4c0cf83fe4363f82f4759778955f6ced681cbea7179ced2c8f814a13472ff70ce369d8385452a44f318337f08cd",
                                -10.5f,
                                39.0625f,
                                117.9375),
                        new Case(
                                DType.IQ2_S,
                                "00385d3f83bc45fee9ee0403a79be118544441317c9311f85e0429b19f7ec0e156f65a3322e791b880ee995e3f0d307d2fbaf400693a179e0d027ed4e58be7a9ebc28a271d43a78855638144eb6603f7b272",
                                1.5f,
                                -23.4375f,
                                77.0625),
                        new Case(
                                DType.IQ3_XXS,
                                "0038ac2f88a68182869793f0aad6ded8116e3ab51681c4a374fec70a68b3e4bdc92b387987416c17ec90963ec766888ab4b80eba7c5cfd81121bea9cee1810dfd5169faf26cd7b5c30c8aba44d972299e8c7b41b9a1d2b0f180600a974d63b633220",
                                -87.5f,
                                -2.5f,
                                416.75),
                        new Case(
                                DType.IQ3_S,
                                "0038b2522c49c4394c7d73265b6aaf61b288fbd0aecfa766616223611e764c93aa388ffabd0a6a6412b209971e2d827076f7e49ab8fa197271be53a3442b128cdad72bad0f8aeef42a0b9a26d74fc78f2562b8701097a55b5510543d27ed600de3200a6749307fd37899c118819a",
                                13.5f,
                                -47.5f,
                                700.0),
                        new Case(
                                DType.NVFP4,
                                "38017e41aa5f93f32c810a37ca7bf1013ccdf8ab8ab4a6039954e84cbe3b3f7f1183c3df",
                                -1.0f,
                                -6.75f,
                                1751.2158203125))
                .map(c -> DynamicTest.dynamicTest(c.type().name(), () -> check(c)));
    }

    private static void check(Case c) {
        byte[] block = HexFormat.of().parseHex(c.block());
        assertThat(block).hasSize(c.type().blockBytes());
        float[] values = new float[c.type().blockSize()];
        Dequantizer.decode(c.type(), ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN), values, 0, values.length);
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        assertThat(values[0]).isEqualTo(c.first());
        assertThat(values[values.length - 1]).isEqualTo(c.last());
        assertThat(sum).isEqualTo(c.sum());
    }
}
