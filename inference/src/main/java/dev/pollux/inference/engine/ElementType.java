package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxJavaType;
import java.util.Arrays;
import java.util.Optional;

/** The element types of what goes in and out of a decoder graph. */
enum ElementType {
    FLOAT(1, OnnxJavaType.FLOAT, Float.BYTES),
    INT32(6, OnnxJavaType.INT32, Integer.BYTES),
    INT64(7, OnnxJavaType.INT64, Long.BYTES),
    BOOL(9, OnnxJavaType.BOOL, 1),
    FLOAT16(10, OnnxJavaType.FLOAT16, Short.BYTES),
    BFLOAT16(16, OnnxJavaType.BFLOAT16, Short.BYTES);

    private final int code;
    private final OnnxJavaType type;
    private final int bytes;

    ElementType(int code, OnnxJavaType type, int bytes) {
        this.code = code;
        this.type = type;
        this.bytes = bytes;
    }

    /** The type that has the number {@code code} in ONNX, if it is one of these. */
    static Optional<ElementType> of(int code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    OnnxJavaType type() {
        return type;
    }

    int bytes() {
        return bytes;
    }

    boolean isFloating() {
        return this == FLOAT || this == FLOAT16 || this == BFLOAT16;
    }

    boolean isInteger() {
        return this == INT32 || this == INT64;
    }
}
