package dev.pollux.inference.internal.layerwise;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.job.JobContext;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of one part in direct memory. The next part reuses the memory, since direct buffers are freed only by the
 * garbage collector. <em>Confined to one thread.</em>
 */
final class WeightBuffers {

    private static final int CHUNK = 1 << 26;
    private static final int LINE = 64;

    private final List<ByteBuffer> chunks = new ArrayList<>();
    private final Map<String, ByteBuffer> parts = new HashMap<>(); // of the last call, by weight
    private int chunk;

    /** Reads weights. The tensors of an earlier call must have been closed. */
    Map<String, OnnxTensor> read(List<Weight> weights, JobContext context) {
        chunks.forEach(ByteBuffer::clear);
        chunk = 0;
        parts.clear();
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            for (Weight weight : weights) {
                context.checkCancelled();
                ByteBuffer bytes = room(Math.toIntExact(weight.bytes()));
                ByteBuffer target = bytes.duplicate();
                weight.source().writeTo(piece -> target.put(piece.duplicate()));
                parts.put(weight.name(), bytes);
                tensors.put(weight.name(), Tensors.over(bytes, weight.type(), sizes(weight.shape())));
            }
            return tensors;
        } catch (RuntimeException | Error e) {
            tensors.values().forEach(OnnxTensor::close);
            throw e;
        }
    }

    /** The memory of a weight of the last call. */
    ByteBuffer bytes(String weight) {
        ByteBuffer part = parts.get(weight);
        if (part == null) {
            throw new IllegalArgumentException("the open layer has no weight " + weight);
        }
        return part.duplicate().order(part.order());
    }

    private static long[] sizes(Shape shape) {
        return shape.dims().stream().mapToLong(Shape.Dim::factor).toArray();
    }

    /** The next {@code bytes} bytes, in the first chunk from the current one that has room. */
    private ByteBuffer room(int bytes) {
        while (chunk < chunks.size() && chunks.get(chunk).remaining() < bytes) {
            chunk++;
        }
        if (chunk == chunks.size()) {
            chunks.add(Tensors.direct(Math.max(CHUNK, bytes)));
        }
        ByteBuffer whole = chunks.get(chunk);
        ByteBuffer part = whole.slice(whole.position(), bytes).order(whole.order());
        whole.position((int) Math.min(whole.capacity(), whole.position() + ((long) bytes + LINE - 1) / LINE * LINE));
        return part;
    }
}
