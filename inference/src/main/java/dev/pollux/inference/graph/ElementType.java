package dev.pollux.inference.graph;

import java.util.Arrays;
import java.util.Optional;

/** The element types of ONNX tensors whose elements are whole bytes. */
public enum ElementType {
    /** 32-bit floats. */
    FLOAT(1, 4),
    /** Unsigned bytes. */
    UINT8(2, 1),
    /** Signed bytes. */
    INT8(3, 1),
    /** Unsigned 16-bit integers. */
    UINT16(4, 2),
    /** 16-bit integers. */
    INT16(5, 2),
    /** 32-bit integers. */
    INT32(6, 4),
    /** 64-bit integers. */
    INT64(7, 8),
    /** Booleans, one byte each. */
    BOOL(9, 1),
    /** IEEE half precision. */
    FLOAT16(10, 2),
    /** 64-bit floats. */
    DOUBLE(11, 8),
    /** Unsigned 32-bit integers. */
    UINT32(12, 4),
    /** Unsigned 64-bit integers. */
    UINT64(13, 8),
    /** The upper half of a 32-bit float. */
    BFLOAT16(16, 2),
    /** Any other type: strings, numbers narrower than a byte, or a value that is not a tensor. */
    OTHER(0, 0);

    private final int code;
    private final int bytes;

    ElementType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
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

    /** Bytes per element; 0 for {@link #OTHER}. */
    public int bytes() {
        return bytes;
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
