package dev.pollux.inference.checkpoint;

import dev.pollux.UnsupportedModelException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;

/**
 * 8-bit floats (E4M3) with scales: one per tile of 128 × 128 in {@code weight_scale_inv} (DeepSeek-V3, arXiv:2412.19437), or
 * one per tensor, row or group in {@code weight_scale}. Both are factors, in spite of the name of the former.
 */
final class Float8Packs {

    private final PackedParts parts;
    private final Settings quantization;

    Float8Packs(PackedParts parts, Settings quantization) {
        this.parts = parts;
        this.quantization = quantization;
    }

    PackedTensor of(String at) {
        String weight = at + ".weight";
        TensorInfo stored = parts.matrix(weight);
        parts.requireType(weight, DType.F8_E4M3);
        int rows = stored.dim(0);
        int columns = stored.dim(1);
        String scale = at + (parts.has(at + ".weight_scale_inv") ? ".weight_scale_inv" : ".weight_scale");
        PackedScales scales = PackedScales.of(parts, scale, rows, columns, quantization);
        if (scales.tileColumns() % PackedParts.BLOCK != 0) {
            throw new UnsupportedModelException(scale + ": tiles of " + scales.tileColumns()
                    + " columns are not supported, only multiples of " + PackedParts.BLOCK);
        }
        return new PackedTensor(PackedParts.shown(weight, DType.PACKED_FP8, rows, columns), () -> {
            ByteBuffer codes = parts.whole(weight);
            PackedScales.Reader read = scales.open();
            return (row, column, out) -> {
                out.putFloat(read.at(row, column));
                out.put(codes.slice(row * columns + column, PackedParts.BLOCK));
            };
        });
    }
}
