package dev.pollux.inference.graph;

import java.util.Arrays;
import java.util.Optional;

/** The element types of ONNX tensors, except strings, complex numbers and floats of 8 and 4 bits. */
public enum ElementType {
    /** 32-bit floats. */
    FLOAT(1, 32),
    /** Unsigned bytes. */
    UINT8(2, 8),
    /** Signed bytes. */
    INT8(3, 8),
    /** Unsigned 16-bit integers. */
    UINT16(4, 16),
    /** 16-bit integers. */
    INT16(5, 16),
    /** 32-bit integers. */
    INT32(6, 32),
    /** 64-bit integers. */
    INT64(7, 64),
    /** Booleans, one byte each. */
    BOOL(9, 8),
    /** IEEE half precision. */
    FLOAT16(10, 16),
    /** 64-bit floats. */
    DOUBLE(11, 64),
    /** Unsigned 32-bit integers. */
    UINT32(12, 32),
    /** Unsigned 64-bit integers. */
    UINT64(13, 64),
    /** The upper half of a 32-bit float. */
    BFLOAT16(16, 16),
    /** Unsigned 4-bit integers, two a byte, the first in the low bits; so in the other types below a byte. */
    UINT4(21, 4),
    /** 4-bit integers. */
    INT4(22, 4),
    /** Unsigned 2-bit integers. */
    UINT2(25, 2),
    /** 2-bit integers. */
    INT2(26, 2),
    /** Any other type, or a value that is not a tensor. */
    OTHER(0, 0);

    private final int code;
    private final int bits;

    ElementType(int code, int bits) {
        this.code = code;
        this.bits = bits;
    }

    /** The type with the ONNX number {@code code}; empty if there is no constant for it. */
    public static Optional<ElementType> of(int code) {
        return Arrays.stream(values())
                .filter(type -> type.code == code && type != OTHER)
                .findFirst();
    }

    /** The type's ONNX number, as in the attribute of {@code Cast}. */
    public int code() {
        return code;
    }

    /** Bytes per element; 0 for a type below a byte and for {@link #OTHER}. */
    public int bytes() {
        return bits / 8;
    }

    /** Bytes of {@code elements} elements, rounded up; 0 for {@link #OTHER}. */
    public long bytes(long elements) {
        return bits < 8 ? (Math.multiplyExact(elements, bits) + 7) / 8 : Math.multiplyExact(elements, bits / 8);
    }

    /** Whether it is a float of 16 or 32 bits. */
    public boolean isFloating() {
        return this == FLOAT || this == FLOAT16 || this == BFLOAT16;
    }

    /** Whether it is a signed integer of 32 or 64 bits. */
    public boolean isInteger() {
        return this == INT32 || this == INT64;
    }
}
