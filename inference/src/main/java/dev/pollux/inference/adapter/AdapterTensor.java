package dev.pollux.inference.adapter;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * A tensor of an adapter.
 *
 * @param key its name in the file, for messages
 * @param type it is stored as
 */
record AdapterTensor(String key, DType type, TensorSource values) {

    List<Long> shape() {
        return values.shape();
    }

    String shown() {
        return type + " " + shape();
    }
}
