package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The graph over the vectors of one Lucene segment with product-quantized codes, in a mapped file. Format {@value #VERSION}:
 *
 * <pre>
 * offset   bytes
 *      0      64   {@link DerivedHeader}: magic number 0x46475850 ("PXGF"), first number P, second number G
 *     64       P   codebooks and codes, as io.github.jbellis.jvector.quantization.PQVectors of JVector 4.0 writes them in its
 *                  format {@value VectorGraph#JVECTOR_FORMAT} (big-endian)
 * 64 + P       G   graph, with a vector of one zero in each node, as io.github.jbellis.jvector.graph.disk.OnDiskGraphIndex writes it in the same
 *                  format (big-endian); node r is row r of the segment's {@link VectorFile}
 *    end       4   CRC-32C of all bytes before, little-endian
 * </pre>
 */
final class GraphFile {

    static final int MAGIC = 0x46475850;
    static final int VERSION = 1;

    private GraphFile() {}

    /** Writes a built graph. */
    static DerivedFile write(Path target, String segment, GraphBuild build, VectorRows vectors) throws IOException {
        Path codes = target.resolveSibling(target.getFileName() + ".codes" + DerivedWriter.TEMPORARY);
        Path graph = target.resolveSibling(target.getFileName() + ".graph" + DerivedWriter.TEMPORARY);
        try (DerivedWriter writer = new DerivedWriter(target)) {
            build.writeCodes(codes);
            build.writeGraph(graph);
            DerivedHeader header = new DerivedHeader(
                    MAGIC, VERSION, vectors.dimension(), vectors.rows(), segment, Files.size(codes), Files.size(graph));
            writer.out().write(header.bytes());
            Files.copy(codes, writer.out());
            Files.copy(graph, writer.out());
            return writer.finish();
        } finally {
            Files.deleteIfExists(codes);
            Files.deleteIfExists(graph);
        }
    }

    /**
     * Maps a file.
     *
     * @throws DerivedHeader.DamagedException if its length, its header or its structure is wrong
     */
    static VectorGraph open(Path file, DerivedFile expected, VectorRows vectors) throws IOException {
        if (Files.size(file) != expected.length() || expected.length() > Integer.MAX_VALUE) {
            throw new DerivedHeader.DamagedException(
                    "has " + Files.size(file) + " bytes where " + expected.length() + " were written");
        }
        ByteBuffer mapped = MappedChunks.whole(file);
        DerivedHeader header = DerivedHeader.read(mapped);
        header.check(MAGIC, VERSION, vectors.dimension(), expected.segment());
        long end = DerivedHeader.LENGTH + header.first() + header.second() + DerivedHeader.FOOTER;
        if (header.rows() != vectors.rows() || end != expected.length()) {
            throw new DerivedHeader.DamagedException(
                    "has " + header.rows() + " nodes where its segment has " + vectors.rows() + " vectors");
        }
        int codes = Math.toIntExact(header.first());
        return VectorGraph.open(
                mapped.slice(DerivedHeader.LENGTH, codes),
                mapped.slice(DerivedHeader.LENGTH + codes, Math.toIntExact(header.second())),
                vectors);
    }
}
