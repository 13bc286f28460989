package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the fields of a GGUF file in the order of the format. */
final class GgufFields {

    private static final String FILE = "model.gguf";

    static final int U8 = 0;
    static final int U16 = 2;
    static final int U32 = 4;
    static final int I32 = 5;
    static final int BOOL = 7;
    static final int STRING = 8;
    static final int ARRAY = 9;
    static final int U64 = 10;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteOrder order;

    GgufFields(ByteOrder order) {
        this.order = order;
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    }

    static GgufFields version(int version) {
        return new GgufFields(ByteOrder.LITTLE_ENDIAN).u32(version);
    }

    /** Version 3 with these counts. */
    static GgufFields of(long tensors, long pairs) {
        return version(3).u64(tensors).u64(pairs);
    }

    GgufFields u8(int value) {
        out.write(value);
        return this;
    }

    GgufFields u16(int value) {
        out.writeBytes(
                ByteBuffer.allocate(2).order(order).putShort((short) value).array());
        return this;
    }

    GgufFields u32(long value) {
        out.writeBytes(ByteBuffer.allocate(4).order(order).putInt((int) value).array());
        return this;
    }

    GgufFields u64(long value) {
        out.writeBytes(ByteBuffer.allocate(8).order(order).putLong(value).array());
        return this;
    }

    GgufFields text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        u64(bytes.length).out.writeBytes(bytes);
        return this;
    }

    GgufFields key(String key, int type) {
        return text(key).u32(type);
    }

    /** A key with an array; its elements follow. */
    GgufFields array(String key, int type, long count) {
        return key(key, ARRAY).u32(type).u64(count);
    }

    /** A tensor's description; dimensions fastest first, as the file has them. */
    GgufFields tensor(String name, int type, long offset, long... dimensions) {
        text(name).u32(dimensions.length);
        for (long dimension : dimensions) {
            u64(dimension);
        }
        return u32(type).u64(offset);
    }

    /** Zeros to a multiple of 32, and {@code bytes} more. */
    GgufFields data(int bytes) {
        return pad(32).zeros(bytes);
    }

    /** Zeros to a multiple of {@code alignment}. */
    GgufFields pad(int alignment) {
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        return this;
    }

    GgufFields zeros(int bytes) {
        out.writeBytes(new byte[bytes]);
        return this;
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    /** Opens these fields as a file of {@code folder}. */
    GgufFile open(Path folder) throws IOException {
        return GgufFile.open(Files.write(folder.resolve(FILE), bytes()));
    }

    /** Asserts that these fields are refused, with the whole message; {@code at} is the byte that it names. */
    void assertRefused(Path folder, int at, String why) {
        assertThatThrownBy(() -> open(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder.resolve(FILE) + " is not a valid GGUF file: " + why + " (byte " + at
                        + "); download the file again");
    }
}
