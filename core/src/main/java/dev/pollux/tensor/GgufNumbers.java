package dev.pollux.tensor;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/** A view of an array of numbers or booleans in a GGUF file; elements are boxed on access. */
final class GgufNumbers extends AbstractList<Object> implements RandomAccess {

    private final int type; // the format's value type
    private final int size;
    private final ByteBuffer bytes;

    GgufNumbers(int type, int size, ByteBuffer bytes) {
        this.type = type;
        this.size = size;
        this.bytes = bytes;
    }

    @Override
    public Object get(int i) {
        Objects.checkIndex(i, size);
        return switch (type) {
            case 0 -> (long) (bytes.get(i) & 0xff);
            case 1 -> (long) bytes.get(i);
            case 2 -> (long) (bytes.getShort(2 * i) & 0xffff);
            case 3 -> (long) bytes.getShort(2 * i);
            case 4 -> bytes.getInt(4 * i) & 0xffffffffL;
            case 5 -> (long) bytes.getInt(4 * i);
            case 6 -> bytes.getFloat(4 * i);
            case 7 -> bytes.get(i) != 0;
            case 10 -> unsigned(bytes.getLong(8 * i));
            case 11 -> bytes.getLong(8 * i);
            case 12 -> bytes.getDouble(8 * i);
            default -> throw new IllegalStateException("value type " + type + " is not a number");
        };
    }

    @Override
    public int size() {
        return size;
    }

    static Object unsigned(long bits) {
        return bits >= 0 ? (Object) bits : new BigInteger(Long.toUnsignedString(bits));
    }
}
