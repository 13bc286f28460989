package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DTypeTest {

    @Test
    void aTypeOfGgufIsFoundByItsId() {
        for (DType type : DType.values()) {
            if (type.ggufId() >= 0) {
                assertThat(DType.ofGguf(type.ggufId())).contains(type);
            }
        }
        assertThat(DType.ofGguf(0)).contains(DType.F32);
        assertThat(DType.ofGguf(-1)).isEmpty();
        assertThat(DType.ofGguf(4)).isEmpty();
        assertThat(DType.NVFP4.ggufId()).isEqualTo(40);
        assertThat(DType.BOOL.ggufId()).isEqualTo(-1);
    }

    @Test
    void aTypeOfSafetensorsIsFoundByItsNameAndIsNoBlock() {
        for (DType type : DType.values()) {
            assertThat(DType.ofSafetensors(type.name()).isPresent()).isEqualTo(type.blockSize() == 1);
            assertThat(type.isBlock()).isEqualTo(type.blockSize() != 1);
        }
        assertThat(DType.ofSafetensors("BF16")).contains(DType.BF16);
        assertThat(DType.ofSafetensors("bf16")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "float32, F32",
        "torch.float32, F32",
        "float, F32",
        "FP32, F32",
        "f32, F32",
        "bfloat16, BF16",
        " torch.BF16 , BF16",
        "float16, F16",
        "torch.half, F16",
        "fp16, F16",
        "f16, F16",
    })
    void aTypeOfAPlanIsFoundByTheNamesThatPublishersUse(String name, DType type) {
        assertThat(TypeNames.parse(name)).contains(type);
        assertThat(TypeNames.parse(TypeNames.of(type))).contains(type);
        assertThat(TypeNames.NAMES).contains(TypeNames.of(type));
    }

    @Test
    void otherNamesAreOfNoType() {
        assertThat(TypeNames.parse("int8")).isEmpty();
        assertThat(TypeNames.parse("torch.")).isEmpty();
        assertThat(TypeNames.parse("float16.torch.")).isEmpty();
        assertThat(TypeNames.of(DType.F64)).isEqualTo("float32");
    }
}
