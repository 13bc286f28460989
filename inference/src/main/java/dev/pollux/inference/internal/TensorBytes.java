package dev.pollux.inference.internal;

import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;

/** Compares stored tensors. */
public final class TensorBytes {

    private static final int PIECE = 1 << 20;

    private TensorBytes() {}

    /** Whether two tensors of a file have the same type, shape and bytes; reads up to the first difference. */
    public static boolean equal(TensorFile file, String one, String other) {
        TensorInfo a = file.tensors().get(one);
        TensorInfo b = file.tensors().get(other);
        if (a == null || b == null || a.type() != b.type() || !a.shape().equals(b.shape())) {
            return false;
        }
        for (long at = 0; at < a.byteLength(); at += PIECE) {
            int length = (int) Math.min(PIECE, a.byteLength() - at);
            if (!file.bytes(one, at, length).equals(file.bytes(other, at, length))) {
                return false;
            }
        }
        return true;
    }
}
