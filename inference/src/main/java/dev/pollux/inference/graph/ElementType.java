package dev.pollux.inference.graph;

import java.util.Arrays;
import java.util.Optional;

/** The element types of what goes in and out of a decoder graph. */
public enum ElementType {
    FLOAT(1, Float.BYTES),
    INT32(6, Integer.BYTES),
    INT64(7, Long.BYTES),
    BOOL(9, 1),
    FLOAT16(10, Short.BYTES),
    BFLOAT16(16, Short.BYTES);

    private final int code;
    private final int bytes;

    ElementType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** The type that has the number {@code code} in ONNX, if it is one of these. */
    public static Optional<ElementType> of(int code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    /** The size of an element in bytes. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are floating-point numbers. */
    public boolean isFloating() {
        return this == FLOAT || this == FLOAT16 || this == BFLOAT16;
    }

    /** Whether elements are whole numbers. */
    public boolean isInteger() {
        return this == INT32 || this == INT64;
    }
}
