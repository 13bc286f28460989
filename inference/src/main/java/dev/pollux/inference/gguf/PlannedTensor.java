package dev.pollux.inference.gguf;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufWriter;
import java.util.List;

/**
 * A tensor to write.
 *
 * @param stored its type in the model, which decides whether its bytes can be copied
 * @param source its elements
 */
record PlannedTensor(GgufWriter.Tensor tensor, DType stored, ElementSource source) {

    static PlannedTensor of(String name, List<Long> shape, DType stored, ElementSource source) {
        return new PlannedTensor(new GgufWriter.Tensor(name, DType.F32, shape), stored, source);
    }

    PlannedTensor as(DType type) {
        return new PlannedTensor(new GgufWriter.Tensor(tensor.name(), type, tensor.shape()), stored, source);
    }

    String name() {
        return tensor.name();
    }

    int row() {
        return Math.toIntExact(tensor.shape().get(tensor.shape().size() - 1));
    }

    boolean isCopied() {
        return stored == tensor.type() && (source instanceof ElementSource.Stored);
    }
}
