package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.tensor.TensorInfo;

/**
 * The scales of a matrix: one for the whole, one per row, one per group along each row, or one per tile.
 *
 * @param tileRows number of rows that share a scale
 * @param tileColumns number of columns that share a scale
 * @param across number of scales per row of tiles
 */
record PackedScales(PackedParts parts, String name, int tileRows, int tileColumns, int groups, int across) {

    /** The scale of an element. */
    @FunctionalInterface
    interface Reader {
        float at(int row, int column);
    }

    /** If there are fewer scales than rows, the tiles have the configuration's {@code weight_block_size}. */
    static PackedScales of(PackedParts parts, String name, int rows, int columns, Settings quantization) {
        parts.requireNumbers(name);
        TensorInfo info = parts.require(name);
        int down = info.shape().isEmpty() ? 1 : info.dim(0);
        int across = info.shape().size() < 2 ? 1 : info.dim(1);
        if (info.elements() == 1) {
            return new PackedScales(parts, name, rows, columns, 1, 1);
        }
        if (info.shape().size() <= 2 && down == rows && across >= 1 && columns % across == 0) {
            return new PackedScales(parts, name, 1, columns / across, across, across);
        }
        int[] tile = tile(quantization);
        int tilesDown = (int) (((long) rows + tile[0] - 1) / tile[0]);
        int tilesAcross = (int) (((long) columns + tile[1] - 1) / tile[1]);
        if (info.shape().size() != 2 || down != tilesDown || across != tilesAcross) {
            throw new MalformedFileException(name + " must hold a scale for each of " + rows
                    + " rows or for each tile of "
                    + tile[0] + " × " + tile[1] + ", [" + tilesDown + ", " + tilesAcross + "], but is " + info.shape()
                    + "; the file is damaged, download it again");
        }
        return new PackedScales(parts, name, tile[0], tile[1], across, across);
    }

    private static int[] tile(Settings quantization) {
        Settings group = quantization.at("config_groups").at("group_0").at("weights");
        for (Settings source : new Settings[] {quantization, group}) {
            for (String key : new String[] {"weight_block_size", "block_structure"}) {
                var sizes = source.has(key) ? source.numbers(key) : java.util.List.<Double>of();
                if (sizes.size() == 2 && sizes.get(0) >= 1 && sizes.get(1) >= 1) {
                    return new int[] {sizes.get(0).intValue(), sizes.get(1).intValue()};
                }
            }
        }
        return new int[] {128, 128};
    }

    Reader open() {
        PackedParts.Numbers numbers = parts.numbers(name);
        return (row, column) -> numbers.at(row / tileRows * across + column / tileColumns);
    }
}
