package dev.pollux.rag.knowledge;

import java.nio.IntBuffer;
import java.util.List;

/** The layers of a graph in a mapped {@link GraphFile}. <em>Immutable, thread-safe.</em> */
final class GraphLayers {

    /** The most neighbours of a node in a layer. */
    static final int DEGREE = 32;

    /**
     * A layer above the base.
     *
     * @param nodes (n) rows, ascending
     * @param neighbours (n, DEGREE) rows, then -1
     */
    record Upper(IntBuffer nodes, IntBuffer neighbours) {

        /** The place of a row; -1 if it is not in this layer. */
        int find(int row) {
            int low = 0;
            int high = nodes.limit() - 1;
            while (low <= high) {
                int middle = low + high >>> 1;
                int found = nodes.get(middle);
                if (found == row) {
                    return middle;
                }
                low = found < row ? middle + 1 : low;
                high = found < row ? high : middle - 1;
            }
            return -1;
        }
    }

    private final int rows;
    private final int entry;
    private final MappedChunks base; // (rows, DEGREE) rows, then -1
    private final List<Upper> upper; // the lowest first

    GraphLayers(int rows, int entry, MappedChunks base, List<Upper> upper) {
        this.rows = rows;
        this.entry = entry;
        this.base = base;
        this.upper = List.copyOf(upper);
    }

    int rows() {
        return rows;
    }

    /** The row at which a search begins, in the highest layer. */
    int entry() {
        return entry;
    }

    /** The number of layers above the base. */
    int upper() {
        return upper.size();
    }

    /**
     * Copies the neighbours of a row and returns their number.
     *
     * @param layer from 0, the base, to {@link #upper()}
     * @param into (≥ DEGREE)
     */
    int neighbours(int layer, int row, int[] into) {
        if (layer == 0) {
            base.ints(row, into);
        } else {
            Upper found = upper.get(layer - 1);
            int place = found.find(row);
            if (place < 0) {
                return 0;
            }
            found.neighbours().get(place * DEGREE, into, 0, DEGREE);
        }
        int count = 0;
        while (count < DEGREE && into[count] >= 0 && into[count] < rows) {
            count++;
        }
        return count;
    }
}
