package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/**
 * The experts of gpt-oss in MXFP4 (OCP Microscaling 1.0). Each expert is presented as separate matrices.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>tensor</th><th>shape</th><th>content</th></tr>
 * <tr><td>{@code blocks}</td><td>[experts, rows, groups, 16]</td><td>two codes per byte, the first one in the low
 * bits</td></tr>
 * <tr><td>{@code scales}</td><td>[experts, rows, groups]</td><td>powers of two with bias 127</td></tr>
 * <tr><td>{@code bias}</td><td>[experts, rows]</td><td></td></tr>
 * </table>
 *
 * <p>The rows of {@code gate_up_proj} alternate between gate and up.
 */
final class Mxfp4Experts {

    private static final int MOST_EXPERTS = 4096;
    private static final int CODE_BYTES = 16;

    private final PackedParts parts;
    private final Consumer<PackedTensor> found;

    Mxfp4Experts(PackedParts parts, Consumer<PackedTensor> found) {
        this.parts = parts;
        this.found = found;
    }

    /** @param stacked the name without {@code _blocks} */
    void add(String stacked) {
        String blocks = stacked + "_blocks";
        TensorInfo info = parts.require(blocks);
        boolean inTurns = stacked.endsWith(".gate_up_proj");
        if (info.type() != DType.U8
                || info.shape().size() != 4
                || info.shape().get(3) != CODE_BYTES
                || info.elements() == 0
                || info.shape().get(0) > MOST_EXPERTS
                || inTurns && info.shape().get(1) % 2 != 0) {
            throw new MalformedFileException(blocks + " must be U8 [experts, rows, groups, 16] of at most "
                    + MOST_EXPERTS + " experts but is " + info.type() + " " + info.shape());
        }
        int experts = info.dim(0);
        int rows = info.dim(1);
        int groups = info.dim(2);
        parts.requireShape(stacked + "_scales", experts, rows, groups);
        parts.requireType(stacked + "_scales", DType.U8, DType.F8_E8M0);
        boolean biased = parts.has(stacked + "_bias");
        if (biased) {
            parts.requireShape(stacked + "_bias", experts, rows);
        }
        String root = stacked.substring(0, stacked.lastIndexOf('.') + 1);
        for (int e = 0; e < experts; e++) {
            for (Part part : inTurns
                    ? List.of(new Part("gate_proj", 0, 2), new Part("up_proj", 1, 2))
                    : List.of(new Part("down_proj", 0, 1))) {
                String name = root + e + "." + part.name();
                found.accept(weight(name + ".weight", stacked, e, part));
                if (biased) {
                    found.accept(bias(name + ".bias", stacked + "_bias", e, part));
                }
            }
        }
    }

    /** Every {@code step}-th row, starting with {@code first}. */
    private record Part(String name, int first, int step) {}

    private PackedTensor weight(String name, String stacked, int expert, Part part) {
        TensorInfo info = parts.require(stacked + "_blocks");
        int rows = info.dim(1);
        int groups = info.dim(2);
        int scaleBytes = Math.multiplyExact(rows, groups);
        int codeBytes = Math.multiplyExact(scaleBytes, CODE_BYTES);
        TensorInfo shown =
                PackedParts.shown(name, DType.MXFP4, rows / part.step(), Math.multiplyExact(groups, PackedParts.BLOCK));
        return new PackedTensor(shown, () -> {
            ByteBuffer codes = parts.bytes(stacked + "_blocks", (long) expert * codeBytes, codeBytes);
            ByteBuffer scales = parts.bytes(stacked + "_scales", (long) expert * scaleBytes, scaleBytes);
            return (row, column, out) -> {
                int at = (part.first() + row * part.step()) * groups + column / PackedParts.BLOCK;
                out.put(scales.get(at));
                for (int i = 0; i < CODE_BYTES; i++) { // of elements i and i + 16
                    int low = codes.get(at * CODE_BYTES + i / 2) >> i % 2 * 4 & 15;
                    int high = codes.get(at * CODE_BYTES + i / 2 + CODE_BYTES / 2) >> i % 2 * 4 & 15;
                    out.put((byte) (low | high << 4));
                }
            };
        });
    }

    private PackedTensor bias(String name, String stacked, int expert, Part part) {
        TensorInfo info = parts.require(stacked);
        int size = info.type().blockBytes();
        int rows = info.dim(1);
        int count = rows / part.step();
        TensorInfo shown = new TensorInfo(name, info.type(), List.of((long) count), 0, (long) count * size);
        return new PackedTensor(shown, () -> {
            ByteBuffer all = parts.bytes(stacked, (long) expert * rows * size, Math.multiplyExact(rows, size));
            return (row, column, out) -> out.put(all.slice((part.first() + column * part.step()) * size, size));
        });
    }
}
