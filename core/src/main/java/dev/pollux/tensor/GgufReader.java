package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a GGUF file, field by field.
 *
 * <p>Layout: magic {@code GGUF}; u32 version (2 or 3); u64 number of tensors; u64 number of key-value pairs; the pairs
 * (string key, u32 value type, value); the tensor infos (string name, u32 number of dimensions, u64 each dimension, fastest
 * first, u32 type, u64 offset); padding to the alignment; the data. A string is a u64 length and UTF-8. In a big-endian file
 * every field is big-endian. No memory is allocated by a declared count: each count is checked against the remaining bytes,
 * arrays of numbers stay in the file, and a file may have at most {@value #MAX_ITEMS} keys, strings, arrays and tensors.
 */
final class GgufReader {

    private static final int MAX_DEPTH = 16;
    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_NAME_BYTES = 63;
    private static final int MAX_KEY_BYTES = 65_535;
    private static final int MAX_STRING_BYTES = 256 << 20;
    private static final int MAX_ITEMS = 1 << 23;

    private final MappedFile file;
    private final ByteBuffer in;
    private int items;

    final int version;
    final Map<String, Object> metadata = new LinkedHashMap<>();
    final Map<String, GgufValue> values = new LinkedHashMap<>(); // the same as stored; empty in a big-endian file
    final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    final int alignment;

    GgufReader(MappedFile file) {
        this.file = file;
        this.in = file.beginning();
        this.version = readVersion();
        long tensorCount = count("number of tensors", 24);
        long pairs = count("number of key-value pairs", 13);
        for (long i = 0; i < pairs; i++) {
            String key = string("key", MAX_KEY_BYTES);
            countItem();
            long type = u32("value type");
            int begin = in.position();
            Object value = value(type, 0);
            if (in.order() == ByteOrder.LITTLE_ENDIAN) {
                values.put(key, GgufValue.stored((int) type, in.slice(begin, in.position() - begin)));
            }
            if (metadata.put(key, value) != null) {
                throw malformed("key '" + key + "' occurs twice");
            }
        }
        this.alignment = readAlignment();
        readTensors(tensorCount);
    }

    ByteOrder order() {
        return in.order();
    }

    private int readVersion() {
        need(8, "magic and version");
        if (in.getInt() != 0x46554747) {
            throw malformed("it must begin with the letters GGUF; it is another kind of file");
        }
        int little = in.getInt();
        int version = little;
        if ((little & 0xffff) == 0) {
            in.order(ByteOrder.BIG_ENDIAN);
            version = Integer.reverseBytes(little);
        }
        if (version != 2 && version != 3) {
            throw malformed("version must be 2 or 3 but was " + Integer.toUnsignedString(version));
        }
        return version;
    }

    private int readAlignment() {
        Object value = metadata.getOrDefault("general.alignment", 32L);
        if (!(value instanceof Long number) || number < 1 || number > 1 << 30 || Long.bitCount(number) != 1) {
            throw malformed("general.alignment must be a power of two but was " + value);
        }
        return number.intValue();
    }

    private void readTensors(long count) {
        List<TensorInfo> infos = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            countItem();
            infos.add(tensor());
        }
        long base = Math.addExact(in.position(), alignment - 1L) / alignment * alignment;
        for (TensorInfo info : infos) {
            long offset = info.offset();
            if (offset < 0 || offset % alignment != 0) {
                throw malformed("the offset of " + info.name() + " must be a multiple of " + alignment + " but was "
                        + Long.toUnsignedString(offset));
            }
            if (offset > file.size() - base || info.byteLength() > file.size() - base - offset) {
                throw malformed(
                        info.name() + " ends past the end of the file (" + file.size() + " bytes); it is truncated");
            }
            TensorInfo placed =
                    new TensorInfo(info.name(), info.type(), info.shape(), base + offset, info.byteLength());
            if (tensors.put(info.name(), placed) != null) {
                throw malformed("tensor " + info.name() + " occurs twice");
            }
        }
        checkOverlap();
    }

    private void checkOverlap() {
        List<TensorInfo> sorted = tensors.values().stream()
                .filter(info -> info.byteLength() > 0)
                .sorted(Comparator.comparingLong(TensorInfo::offset))
                .toList();
        for (int i = 1; i < sorted.size(); i++) {
            TensorInfo before = sorted.get(i - 1);
            if (before.offset() + before.byteLength() > sorted.get(i).offset()) {
                throw malformed(
                        "tensors " + before.name() + " and " + sorted.get(i).name() + " overlap");
            }
        }
    }

    private TensorInfo tensor() {
        String name = string("tensor name", MAX_NAME_BYTES);
        long rank = u32("number of dimensions of " + name);
        if (rank > MAX_DIMENSIONS) {
            throw malformed(name + " must have at most " + MAX_DIMENSIONS + " dimensions but has " + rank);
        }
        need(8 * rank + 12, "description of " + name);
        List<Long> shape = new ArrayList<>();
        long elements = 1;
        for (int i = 0; i < rank; i++) {
            long size = in.getLong();
            if (size < 0 || size != 0 && elements > Long.MAX_VALUE / 8 / size) {
                throw malformed("dimension " + i + " of " + name + " is out of range: " + Long.toUnsignedString(size));
            }
            elements *= size;
            shape.add(0, size);
        }
        int id = in.getInt();
        DType type = DType.ofGguf(id)
                .orElseThrow(() -> malformed("tensor type " + Integer.toUnsignedString(id) + " of " + name
                        + " is unknown or was removed from the format"));
        long row = shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
        if (row % type.blockSize() != 0) {
            throw malformed(name + " has rows of " + row + ", which must be a multiple of " + type.blockSize()
                    + ", the block of " + type);
        }
        return new TensorInfo(name, type, shape, in.getLong(), elements / type.blockSize() * type.blockBytes());
    }

    private Object value(long type, int depth) {
        return switch ((int) Math.min(type, 99)) {
            case 0 -> (long) (u8() & 0xff);
            case 1 -> (long) u8();
            case 2 -> (long) (u16() & 0xffff);
            case 3 -> (long) u16();
            case 4 -> u32("value");
            case 5 -> (long) (int) u32("value");
            case 6 -> Float.intBitsToFloat((int) u32("value"));
            case 7 -> bool(u8());
            case 8 -> string("string", MAX_STRING_BYTES);
            case 9 -> array(depth);
            case 10 -> GgufNumbers.unsigned(u64("value"));
            case 11 -> u64("value");
            case 12 -> Double.longBitsToDouble(u64("value"));
            default -> throw malformed("value type " + type + " is unknown (0 to 12 are known)");
        };
    }

    private List<?> array(int depth) {
        if (depth >= MAX_DEPTH) {
            throw malformed("arrays are nested deeper than " + MAX_DEPTH);
        }
        long type = u32("array item type");
        int minimum = switch ((int) Math.min(type, 99)) {
            case 0, 1, 7 -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case 8, 10, 11, 12 -> 8;
            case 9 -> 12;
            default -> throw malformed("array item type " + type + " is unknown (0 to 12 are known)");
        };
        long count = count("array length", minimum);
        return type == 8 || type == 9 ? objects(type, (int) count, depth) : numbers((int) type, (int) count, minimum);
    }

    private List<Object> objects(long type, int count, int depth) {
        List<Object> objects = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            countItem();
            objects.add(value(type, depth + 1));
        }
        return Collections.unmodifiableList(objects);
    }

    private List<Object> numbers(int type, int count, int bytesEach) {
        ByteBuffer bytes = in.slice(in.position(), count * bytesEach).order(in.order());
        for (int i = 0; type == 7 && i < count; i++) {
            bool(bytes.get(i));
        }
        in.position(in.position() + count * bytesEach);
        return new GgufNumbers(type, count, bytes);
    }

    private void countItem() {
        if (++items > MAX_ITEMS) {
            throw malformed("it holds more than " + MAX_ITEMS + " keys, strings, arrays and tensors");
        }
    }

    private boolean bool(byte value) {
        if (value != 0 && value != 1) {
            throw malformed("a bool must be 0 or 1 but was " + value);
        }
        return value == 1;
    }

    private byte u8() {
        need(1, "value");
        return in.get();
    }

    private short u16() {
        need(2, "value");
        return in.getShort();
    }

    private long u32(String what) {
        need(4, what);
        return in.getInt() & 0xffffffffL;
    }

    private long u64(String what) {
        need(8, what);
        return in.getLong();
    }

    private long count(String what, int bytesEach) {
        long count = u64(what);
        if (count < 0 || count > in.remaining() / bytesEach) {
            throw malformed(what + " is " + Long.toUnsignedString(count) + ", more than the file can hold");
        }
        return count;
    }

    private String string(String what, int most) {
        long length = u64(what + " length");
        if (length < 0 || length > in.remaining() || length > most) {
            throw malformed(what + " has " + Long.toUnsignedString(length) + " bytes, more than "
                    + (length > most || length < 0 ? "the " + most + " allowed" : "the " + in.remaining() + " left"));
        }
        if (length == 0) {
            return "";
        }
        ByteBuffer bytes = in.slice(in.position(), (int) length);
        in.position(in.position() + (int) length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw malformed(what + " at byte " + (in.position() - length) + " is not UTF-8");
        }
    }

    private void need(long bytes, String what) {
        if (bytes > in.remaining()) {
            throw malformed("it ends inside the " + what + "; it is truncated");
        }
    }

    private MalformedFileException malformed(String why) {
        return new MalformedFileException(file.path() + " is not a valid GGUF file: " + why + " (byte " + in.position()
                + "); download the file again");
    }
}
