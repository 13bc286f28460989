package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;
import java.util.stream.IntStream;

/** Matrices whose rows are stored in another order than they are multiplied in. */
final class StoredOrder {

    private StoredOrder() {}

    /** The name of {@code name} with rows {@code order}, its bias likewise. */
    static String of(Blocks b, String name, int columns, int[] order) {
        String bias = name + ".bias";
        if (b.tensors.has(bias)) {
            b.tensors.define(name + ".turned.bias", bias, 1, order.length, () -> ordered(b, bias, 1, order));
        }
        String weight = name + ".weight";
        return b.tensors.define(
                name + ".turned.weight", weight, order.length, columns, () -> ordered(b, weight, columns, order));
    }

    private static float[] ordered(Blocks b, String stored, int columns, int[] order) {
        float[] values = b.tensors.vector(stored, order.length * columns);
        float[] ordered = new float[values.length];
        for (int row = 0; row < order.length; row++) {
            System.arraycopy(values, order[row] * columns, ordered, row * columns, columns);
        }
        return ordered;
    }

    /** The order [q, k, v] of rows stored as groups of {@code each} queries, a key and a value, each {@code width} wide. */
    static int[] byKind(int groups, int each, int width) {
        int size = (each + 2) * width;
        IntStream q = rows(groups, size, 0, each * width);
        IntStream k = rows(groups, size, each * width, width);
        IntStream v = rows(groups, size, (each + 1) * width, width);
        return IntStream.concat(q, IntStream.concat(k, v)).toArray();
    }

    /** Of each of {@code groups} groups of {@code size} rows, {@code count} rows from {@code from} on. */
    static IntStream rows(int groups, int size, int from, int count) {
        return IntStream.range(0, groups * count).map(i -> i / count * size + from + i % count);
    }
}
