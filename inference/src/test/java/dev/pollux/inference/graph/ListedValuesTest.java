package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tensors whose message lists their values by type. */
class ListedValuesTest {

    private static String written(TensorProto.Builder tensor) {
        StringBuilder hex = new StringBuilder();
        new StoredTensor(tensor.build(), Optional.empty()).writeTo(bytes -> {
            byte[] piece = new byte[bytes.remaining()];
            bytes.get(piece);
            hex.append(HexFormat.of().formatHex(piece));
        });
        return hex.toString();
    }

    private static TensorProto.Builder tensor(ElementType type) {
        return TensorProto.newBuilder().setName("w").setDataType(type.code());
    }

    @Test
    void integersAreWrittenInTheWidthOfTheirType() {
        assertThat(written(tensor(ElementType.INT64).addInt64Data(-2).addInt64Data(1)))
                .isEqualTo("feffffffffffffff0100000000000000");
        assertThat(written(tensor(ElementType.INT32).addInt32Data(-2))).isEqualTo("feffffff");
        assertThat(written(tensor(ElementType.INT16).addInt32Data(-2))).isEqualTo("feff");
        assertThat(written(tensor(ElementType.UINT8).addInt32Data(254).addInt32Data(1)))
                .isEqualTo("fe01");
        assertThat(written(tensor(ElementType.BOOL).addInt32Data(1).addInt32Data(0)))
                .isEqualTo("0100");
        assertThat(written(tensor(ElementType.UINT32).addUint64Data(0xFFFF_FFFEL)))
                .isEqualTo("feffffff");
        assertThat(written(tensor(ElementType.UINT64).addUint64Data(-2L))).isEqualTo("feffffffffffffff");
    }

    @Test
    void packedIntegersOfFourBitsAreWrittenAsTheirBytes() {
        assertThat(written(tensor(ElementType.UINT4).addInt32Data(0x21).addInt32Data(0x03)))
                .isEqualTo("2103");
    }

    @Test
    void floatsAreWrittenInTheWidthOfTheirType() {
        assertThat(written(tensor(ElementType.FLOAT).addFloatData(1.5f))).isEqualTo("0000c03f");
        assertThat(written(tensor(ElementType.DOUBLE).addDoubleData(1.5))).isEqualTo("000000000000f83f");
        assertThat(written(tensor(ElementType.FLOAT16).addInt32Data(0x3E00))).isEqualTo("003e");
    }

    @Test
    void rawBytesAreWrittenAsTheyAre() {
        assertThat(written(
                        tensor(ElementType.INT16).setRawData(ByteString.copyFrom(ByteBuffer.wrap(new byte[] {1, 2})))))
                .isEqualTo("0102");
    }
}
