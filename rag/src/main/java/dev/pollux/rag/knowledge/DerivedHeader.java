package dev.pollux.rag.knowledge;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * The first {@value #LENGTH} bytes of a derived file, in little-endian order:
 *
 * <pre>
 * offset  bytes
 *      0      4   magic number of the kind of file
 *      4      4   version of the format
 *      8      4   dimension of the vectors
 *     12      4   rows: the number of vectors
 *     16     16   id of the Lucene segment
 *     32      8   first number of the kind of file
 *     40      8   second number of the kind of file
 *     48     12   zero
 *     60      4   CRC-32C of bytes 0 to 59
 * </pre>
 *
 * <p>The file ends with 4 bytes: the CRC-32C of all bytes before them.
 *
 * @param segment id of the segment in hex
 */
record DerivedHeader(int magic, int version, int dimension, int rows, String segment, long first, long second) {

    static final int LENGTH = 64;

    /** Length of the checksum at the end of the file. */
    static final int FOOTER = Integer.BYTES;

    private static final int ID = 16;
    private static final int CHECKED = LENGTH - Integer.BYTES;

    byte[] bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(magic).putInt(version).putInt(dimension).putInt(rows);
        bytes.put(Arrays.copyOf(HexFormat.of().parseHex(segment), ID));
        bytes.putLong(first).putLong(second);
        bytes.putInt(CHECKED, checksum(bytes.array()));
        return bytes.array();
    }

    /**
     * Reads a header.
     *
     * @throws DamagedException if its checksum does not match
     */
    static DerivedHeader read(ByteBuffer file) {
        byte[] header = new byte[LENGTH];
        if (file.remaining() < LENGTH + FOOTER) {
            throw new DamagedException("is too short");
        }
        file.duplicate().get(header);
        ByteBuffer bytes = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.getInt(CHECKED) != checksum(header)) {
            throw new DamagedException("has a damaged header");
        }
        byte[] id = new byte[ID];
        bytes.position(16);
        bytes.get(id);
        return new DerivedHeader(
                bytes.getInt(0),
                bytes.getInt(4),
                bytes.getInt(8),
                bytes.getInt(12),
                HexFormat.of().formatHex(id),
                bytes.getLong(32),
                bytes.getLong(40));
    }

    /**
     * Rejects a file that is not what its name promises.
     *
     * @throws DamagedException with what is wrong
     */
    void check(int expectedMagic, int expectedVersion, int expectedDimension, String expectedSegment) {
        if (magic != expectedMagic || dimension != expectedDimension || !segment.equals(expectedSegment)) {
            throw new DamagedException("belongs to another segment");
        }
        if (version != expectedVersion) {
            throw new DamagedException(
                    "has version " + version + " where this version of Pollux reads " + expectedVersion);
        }
    }

    private static int checksum(byte[] header) {
        CRC32C crc = new CRC32C();
        crc.update(header, 0, CHECKED);
        return (int) crc.getValue();
    }

    /** A derived file that cannot be used; it is made anew. */
    static final class DamagedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        DamagedException(String message) {
            super(message);
        }
    }
}
