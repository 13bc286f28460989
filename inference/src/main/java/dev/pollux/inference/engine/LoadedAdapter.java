package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.Adapter;
import dev.pollux.inference.adapter.Adapter.Factors;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.internal.OpenHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * One or more LoRA adapters in memory, added up. Sequences that are created with it compute with the sum.
 *
 * <p>Projections that are computed by one matrix multiplication have concatenated factors: Aᵀ (columns, ΣR), and a
 * block-diagonal Bᵀ (ΣR, Σrows), multiplied by α/r. <em>Thread-safe.</em>
 */
public final class LoadedAdapter implements AutoCloseable {

    private final LoadedAdapters owner;
    private final StepAdmission.Group group;
    private final String name;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final OpenHandle handle;
    private long bytes;

    /**
     * @param group the admission group of its steps
     * @param adapters the adapters, each with a scale that multiplies its own
     */
    LoadedAdapter(LoadedAdapters owner, StepAdmission.Group group, Map<Adapter, Double> adapters) {
        this.owner = owner;
        this.group = group;
        this.name =
                String.join("+", adapters.keySet().stream().map(Adapter::name).toList());
        this.handle = OpenHandle.of("LoadedAdapter " + name);
        try {
            adapters.keySet().forEach(adapter -> requirePlaces(owner.manifest(), adapter));
            for (Projection projection : owner.places()) {
                load(projection, adapters);
            }
        } catch (RuntimeException | Error e) {
            free();
            throw e;
        }
    }

    /** The names of the adapters, joined by {@code +}. */
    public String name() {
        return name;
    }

    /** The size in native memory, in bytes. */
    public long bytes() {
        return bytes;
    }

    /** The factors by graph input. They stay in the map, closed, after the adapter is freed. */
    Map<String, OnnxTensor> inputs() {
        return inputs;
    }

    /** The admission group of the steps that compute with this adapter. */
    StepAdmission.Group group() {
        return group;
    }

    private static void requirePlaces(DecoderManifest manifest, Adapter adapter) {
        Map<String, String> places = new HashMap<>(); // matrix → shapes of its factors
        for (Projection p : manifest.projections()) {
            for (int i = 0; i < p.weights().size(); i++) {
                int rows = p.rows().get(i);
                // PEFT stores the factors of the transposed embedding
                places.put(p.weights().get(i), p.lookup() ? shapes(p.columns(), rows) : shapes(rows, p.columns()));
            }
        }
        Set<String> strangers = new TreeSet<>(adapter.factors().keySet());
        strangers.removeAll(places.keySet());
        if (!strangers.isEmpty()) {
            throw new UnsupportedModelException("The adapter " + adapter.name() + " changes "
                    + strangers.iterator().next()
                    + (strangers.size() == 1 ? "" : " and " + (strangers.size() - 1) + " more")
                    + ", which is no projection of " + manifest.name()
                    + " as it is stored; merge it into its model first (pollux merge), or use the model it was"
                    + " trained on");
        }
        adapter.factors().forEach((matrix, f) -> {
            if (!shapes(f.rows(), f.columns()).equals(places.get(matrix))) {
                throw new UnsupportedModelException("The adapter " + adapter.name() + " has factors for a matrix of "
                        + shapes(f.rows(), f.columns()) + " but " + matrix + " of " + manifest.name() + " has "
                        + places.get(matrix) + "; use the model it was trained on");
            }
        });
    }

    private static String shapes(int rows, int columns) {
        return rows + " rows and " + columns + " columns";
    }

    /** @param firstRow the first row of the matrix within the concatenated projections */
    private record Part(Factors factors, double scale, int firstRow) {}

    private void load(Projection p, Map<Adapter, Double> adapters) {
        List<Part> parts = new ArrayList<>();
        int rows = 0;
        for (int i = 0; i < p.weights().size(); i++) {
            for (Map.Entry<Adapter, Double> entry : adapters.entrySet()) {
                Factors factors = entry.getKey().factors().get(p.weights().get(i));
                if (factors != null) {
                    parts.add(new Part(factors, entry.getValue() * factors.scale(), rows));
                }
            }
            rows += p.rows().get(i);
        }
        int in = p.lookup() ? rows : p.columns();
        int out = p.lookup() ? p.columns() : rows;
        int rank = parts.stream().mapToInt(part -> part.factors().rank()).sum();
        FloatBuffer a = allocate(in, rank);
        FloatBuffer b = allocate(rank, out);
        int first = 0;
        for (Part part : parts) {
            Factors f = part.factors();
            for (int r = 0; r < f.rank(); r++, first++) {
                for (int c = 0; c < in; c++) {
                    a.put(c * rank + first, f.a()[r * in + c]);
                }
                for (int row = 0; row < f.rows(); row++) {
                    float value = (float) (f.b()[row * f.rank() + r] * part.scale());
                    b.put(first * out + part.firstRow() + row, value);
                }
            }
        }
        put(AdapterGraph.a(p), a, in, rank);
        put(AdapterGraph.b(p), b, rank, out);
    }

    private FloatBuffer allocate(int rows, int columns) {
        int size = Math.multiplyExact(Math.multiplyExact(rows, columns), Float.BYTES);
        bytes += size;
        return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private void put(String input, FloatBuffer values, long... shape) {
        try {
            inputs.put(input, OnnxTensor.createTensor(NativeRuntime.environment(), values, shape));
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot load the adapter " + name + ": " + e.getMessage(), e);
        }
    }

    /**
     * Ends the streams that use the adapter, waits for their steps and frees it. Idempotent; closing the model has the same
     * effect.
     */
    @Override
    public void close() {
        owner.unload(this);
    }

    void free() {
        inputs.values().forEach(OnnxTensor::close);
        handle.close();
    }
}
