package dev.pollux.tensor;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A metadata value of a GGUF file with its type in the format. Readers of GGUF distinguish types: a number that is expected as
 * u32 is refused as u64. <em>Immutable.</em>
 */
public final class GgufValue {

    private static final int U8 = 0;
    private static final int U32 = 4;
    private static final int I32 = 5;
    private static final int F32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final long MOST = 0xffffffffL;

    private final int type;
    private final ByteBuffer payload; // as in a file, little-endian

    private GgufValue(int type, ByteBuffer payload) {
        this.type = type;
        this.payload = payload.asReadOnlyBuffer();
    }

    /** A value as a file stores it. */
    static GgufValue stored(int type, ByteBuffer payload) {
        return new GgufValue(type, payload);
    }

    /** An unsigned integer of 32 bits, in [0, 2^32). */
    public static GgufValue u32(long value) {
        if (value < 0 || value > MOST) {
            throw new IllegalArgumentException("value must be in [0, " + MOST + "] but was " + value);
        }
        return new GgufValue(U32, buffer(4).putInt((int) value).flip());
    }

    /** A float of 32 bits. */
    public static GgufValue f32(double value) {
        return new GgufValue(F32, buffer(4).putFloat((float) value).flip());
    }

    /** A boolean. */
    public static GgufValue bool(boolean value) {
        return new GgufValue(BOOL, buffer(1).put((byte) (value ? 1 : 0)).flip());
    }

    /** A string. */
    public static GgufValue string(String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        return new GgufValue(
                STRING, buffer(8 + text.length).putLong(text.length).put(text).flip());
    }

    /** An array of strings. */
    public static GgufValue strings(List<String> values) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(arrayHead(STRING, values.size()));
        for (String value : values) {
            byte[] text = value.getBytes(StandardCharsets.UTF_8);
            bytes.writeBytes(buffer(8).putLong(text.length).array());
            bytes.writeBytes(text);
        }
        return new GgufValue(ARRAY, ByteBuffer.wrap(bytes.toByteArray()));
    }

    /** An array of signed integers of 32 bits. */
    public static GgufValue i32s(List<Integer> values) {
        ByteBuffer bytes = array(I32, values.size(), 4);
        values.forEach(bytes::putInt);
        return new GgufValue(ARRAY, bytes.flip());
    }

    /** An array of floats of 32 bits. */
    public static GgufValue f32s(List<Float> values) {
        ByteBuffer bytes = array(F32, values.size(), 4);
        values.forEach(bytes::putFloat);
        return new GgufValue(ARRAY, bytes.flip());
    }

    /** An array of bytes. */
    public static GgufValue u8s(byte[] values) {
        return new GgufValue(ARRAY, array(U8, values.length, 1).put(values).flip());
    }

    private static ByteBuffer array(int type, int size, int each) {
        return buffer(12 + size * each).put(arrayHead(type, size));
    }

    private static byte[] arrayHead(int type, int size) {
        return buffer(12).putInt(type).putLong(size).array();
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The id of the type in the format. */
    int type() {
        return type;
    }

    /** The bytes of the value, without its type. */
    ByteBuffer payload() {
        return payload.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The value, if it is an unsigned integer of 32 bits. */
    OptionalLong asU32() {
        return type == U32 ? OptionalLong.of(payload().getInt(0) & MOST) : OptionalLong.empty();
    }

    /** Whether another has the same type and bytes. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GgufValue that && type == that.type && payload.equals(that.payload);
    }

    @Override
    public int hashCode() {
        return 31 * type + payload.hashCode();
    }

    @Override
    public String toString() {
        return "GgufValue[type " + type + ", " + payload.remaining() + " bytes]";
    }
}
