package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The graph over the vectors of one Lucene segment, in a mapped file. Format {@value #VERSION}, in little-endian order:
 *
 * <pre>
 * offset            bytes
 *      0               64   {@link DerivedHeader}: magic number 0x46475850 ("PXGF"), first number: the row at which a search begins;
 *                           second number L: layers above the base
 *     64       128 * rows   base: of each row of the segment's {@link VectorFile} its neighbours, 32 integers: rows, then -1
 *
 * L times, the lowest layer first:
 *                       4   n: nodes of the layer
 *                   4 * n   their rows, ascending
 *                 128 * n   of each node its neighbours in this layer, as in the base
 *
 *    end                4   CRC-32C of all bytes before
 * </pre>
 */
final class GraphFile {

    static final int MAGIC = 0x46475850;
    static final int VERSION = 2;

    private static final int NODE = Integer.BYTES * GraphLayers.DEGREE;

    private GraphFile() {}

    /** A graph that was built, as it is written. */
    interface Built {

        int entry();

        /** The number of layers above the base. */
        int upper();

        /** The rows of a layer above the base, ascending. */
        int[] nodes(int layer);

        /**
         * Copies the neighbours of a row and returns their number.
         *
         * @param into (≥ DEGREE)
         */
        int neighbours(int layer, int row, int[] into);
    }

    /** Writes a built graph. */
    static DerivedFile write(Path target, String segment, Built graph, VectorRows vectors) throws IOException {
        try (DerivedWriter writer = new DerivedWriter(target)) {
            OutputStream out = writer.out();
            int rows = vectors.rows();
            out.write(
                    new DerivedHeader(MAGIC, VERSION, vectors.dimension(), rows, segment, graph.entry(), graph.upper())
                            .bytes());
            for (int row = 0; row < rows; row++) {
                out.write(node(graph, 0, row));
            }
            for (int layer = 1; layer <= graph.upper(); layer++) {
                int[] nodes = graph.nodes(layer);
                out.write(bytes(nodes.length));
                out.write(bytes(nodes));
                for (int row : nodes) {
                    out.write(node(graph, layer, row));
                }
            }
            return writer.finish();
        }
    }

    private static byte[] node(Built graph, int layer, int row) {
        int[] neighbours = new int[GraphLayers.DEGREE];
        int count = graph.neighbours(layer, row, neighbours);
        Arrays.fill(neighbours, count, neighbours.length, -1);
        return bytes(neighbours);
    }

    private static byte[] bytes(int... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(numbers);
        return bytes.array();
    }

    /**
     * Maps a file.
     *
     * @throws DerivedHeader.DamagedException if its length, its header or its structure is wrong
     */
    static GraphLayers open(Path file, DerivedFile expected, VectorRows vectors) throws IOException {
        if (Files.size(file) != expected.length()) {
            throw new DerivedHeader.DamagedException(
                    "has " + Files.size(file) + " bytes where " + expected.length() + " were written");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer head = ByteBuffer.allocate(DerivedHeader.LENGTH + DerivedHeader.FOOTER);
            channel.read(head, 0);
            DerivedHeader header = DerivedHeader.read(head.flip());
            header.check(MAGIC, VERSION, vectors.dimension(), expected.segment());
            if (header.rows() != vectors.rows() || header.first() < 0 || header.first() >= Math.max(1, header.rows())) {
                throw new DerivedHeader.DamagedException(
                        "has " + header.rows() + " nodes where its segment has " + vectors.rows() + " vectors");
            }
            long from = DerivedHeader.LENGTH + (long) NODE * header.rows();
            long length = expected.length() - DerivedHeader.FOOTER - from;
            if (length < 0 || length > Integer.MAX_VALUE) {
                throw new DerivedHeader.DamagedException("has no whole layers");
            }
            ByteBuffer upper =
                    channel.map(FileChannel.MapMode.READ_ONLY, from, length).order(ByteOrder.LITTLE_ENDIAN);
            return new GraphLayers(
                    header.rows(),
                    (int) header.first(),
                    MappedChunks.map(channel, DerivedHeader.LENGTH, header.rows(), NODE),
                    upper(upper, header.second()));
        }
    }

    private static List<GraphLayers.Upper> upper(ByteBuffer bytes, long count) {
        List<GraphLayers.Upper> layers = new ArrayList<>();
        for (long layer = 0; layer < count; layer++) {
            int nodes = bytes.remaining() < Integer.BYTES ? -1 : bytes.getInt();
            if (nodes < 0 || (long) nodes * (Integer.BYTES + NODE) > bytes.remaining()) {
                throw new DerivedHeader.DamagedException("has no whole layers");
            }
            layers.add(new GraphLayers.Upper(
                    ints(bytes, Integer.BYTES * nodes).asIntBuffer(),
                    ints(bytes, NODE * nodes).asIntBuffer()));
        }
        if (bytes.hasRemaining()) {
            throw new DerivedHeader.DamagedException("has more than its layers");
        }
        return layers;
    }

    /** The next bytes of a buffer. */
    private static ByteBuffer ints(ByteBuffer bytes, int length) {
        ByteBuffer part = bytes.slice(bytes.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(bytes.position() + length);
        return part;
    }
}
