package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What every segment of a row of tokens may read: positions and trained inputs. <em>Confined to one thread.</em> */
final class CommonInputs implements AutoCloseable {

    private final Map<String, OnnxTensor> tensors;
    private final List<OnnxTensor> own = new ArrayList<>();

    /** @param trained the trained inputs, which stay open */
    CommonInputs(ModelGraphs graphs, Map<String, OnnxTensor> trained, TokenBatch batch) {
        this.tensors = new HashMap<>(trained);
        graphs.positions().forEach((name, length) -> {
            long[] positions = batch.positions(length, length == 0 ? 0 : graphs.mostTokens());
            ByteBuffer bytes = Tensors.direct(positions.length * Long.BYTES);
            bytes.asLongBuffer().put(positions);
            OnnxTensor tensor = Tensors.over(bytes, ElementType.INT64, 1, positions.length);
            own.add(tensor);
            tensors.put(name, tensor);
        });
    }

    Map<String, OnnxTensor> tensors() {
        return tensors;
    }

    /** With the weights of a layer. */
    Map<String, OnnxTensor> with(ModelWeights.Loaded loaded) {
        Map<String, OnnxTensor> all = new HashMap<>(tensors);
        all.putAll(loaded.tensors());
        return all;
    }

    @Override
    public void close() {
        own.forEach(OnnxTensor::close);
    }
}
