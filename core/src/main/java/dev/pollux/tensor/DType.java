package dev.pollux.tensor;

import java.util.Arrays;
import java.util.Optional;

/**
 * The storage type of a tensor: plain types of safetensors and GGUF, and GGUF's block types.
 *
 * <p>Sources: the safetensors format description; {@code ggml.h} and {@code ggml-common.h} of the GGUF format for type ids
 * and block sizes. <em>Immutable.</em>
 */
public enum DType {
    F64(28, 1, 8),
    F32(0, 1, 4),
    F16(1, 1, 2),
    BF16(30, 1, 2),
    F8_E4M3(-1, 1, 1),
    F8_E5M2(-1, 1, 1),
    F8_E8M0(-1, 1, 1),
    I64(27, 1, 8),
    I32(26, 1, 4),
    I16(25, 1, 2),
    I8(24, 1, 1),
    U64(-1, 1, 8),
    U32(-1, 1, 4),
    U16(-1, 1, 2),
    U8(-1, 1, 1),
    BOOL(-1, 1, 1),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    IQ1_M(29, 256, 56),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    MXFP4(39, 32, 17),
    NVFP4(40, 64, 36),
    /**
     * 32 signed 4-bit integers with a 32-bit scale. Not a file format: packed weights of publishers are presented in this
     * type.
     */
    PACKED_INT4(-1, 32, 20),
    /** As the 4-bit type, with 8-bit integers. */
    PACKED_INT8(-1, 32, 36),
    /** As the 4-bit type, with 16-bit integers: unsigned 8-bit codes minus a zero point. */
    PACKED_INT16(-1, 32, 68),
    /** 32 codes of NF4, the quantiles of a normal distribution (Dettmers et al., arXiv:2305.14314), with a 32-bit scale. */
    PACKED_NF4(-1, 32, 20),
    /** 32 4-bit floats of bitsandbytes with a 32-bit scale. */
    PACKED_FP4(-1, 32, 20),
    /** 32 8-bit floats (E4M3) with a 32-bit scale. */
    PACKED_FP8(-1, 32, 36);

    private final int ggufId;
    private final int blockSize;
    private final int blockBytes;

    DType(int ggufId, int blockSize, int blockBytes) {
        this.ggufId = ggufId;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** Number of elements in a block; 1 for plain types. */
    public int blockSize() {
        return blockSize;
    }

    /** Size of a block in bytes. */
    public int blockBytes() {
        return blockBytes;
    }

    /** The id of this type in GGUF; −1 if GGUF does not have it. */
    public int ggufId() {
        return ggufId;
    }

    /** Whether a block has more than one element. */
    public boolean isBlock() {
        return blockSize > 1;
    }

    static Optional<DType> ofGguf(int id) {
        return Arrays.stream(values())
                .filter(type -> type.ggufId == id && id >= 0)
                .findFirst();
    }

    /** The type with this name in a safetensors header. */
    static Optional<DType> ofSafetensors(String name) {
        return Arrays.stream(values())
                .filter(type -> !type.isBlock() && type.name().equals(name))
                .findFirst();
    }
}
