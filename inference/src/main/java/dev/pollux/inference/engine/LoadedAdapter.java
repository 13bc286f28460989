package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.MalformedFileException;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.internal.OpenHandle;
import dev.pollux.tensor.TensorSource;
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
 * One or more LoRA adapters in memory beside a model, added up: what the sequences that were asked for with it compute with.
 *
 * <p>The factors of matrices that are multiplied as one lie side by side: Aᵀ (columns, ΣR), and Bᵀ (ΣR, Σrows) with zeros
 * outside its blocks, times α/r. <em>Thread-safe.</em>
 */
public final class LoadedAdapter implements AutoCloseable {

    private final LoadedAdapters owner;
    private final StepAdmission.Group group;
    private final String name;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final OpenHandle handle;
    private long bytes;

    /**
     * @param group the steps that compute with it
     * @param adapters with the scale of each, on top of its own; they may be closed afterwards
     */
    LoadedAdapter(LoadedAdapters owner, StepAdmission.Group group, Map<LoraAdapter, Double> adapters) {
        this.owner = owner;
        this.group = group;
        this.name = String.join(
                "+", adapters.keySet().stream().map(LoraAdapter::name).toList());
        this.handle = OpenHandle.of("LoadedAdapter " + name);
        try {
            List<Scaled> scaled = new ArrayList<>();
            adapters.forEach((adapter, scale) -> scaled.add(new Scaled(plain(owner.manifest(), adapter), scale)));
            for (Projection projection : owner.places()) {
                load(projection, scaled);
            }
        } catch (RuntimeException | Error e) {
            free();
            throw e;
        }
    }

    /**
     * An adapter's products by the names that its matrices have in the model.
     *
     * @param scale on top of the adapter's own
     */
    private record Scaled(Map<String, LowRankChange> changes, double scale) {}

    /** The names of the adapters, joined by +. */
    public String name() {
        return name;
    }

    /** Bytes of native memory. */
    public long bytes() {
        return bytes;
    }

    /** The factors by the names of the graph's inputs; they stay here, closed, when the adapter is freed. */
    Map<String, OnnxTensor> inputs() {
        return inputs;
    }

    /** The steps that compute with it. */
    StepAdmission.Group group() {
        return group;
    }

    /** The products of an adapter; one that has other changes, or products for other matrices than the model's, is refused. */
    private static Map<String, LowRankChange> plain(DecoderManifest manifest, LoraAdapter adapter) {
        adapter.otherThanFactors().ifPresent(other -> {
            throw new UnsupportedModelException("The adapter " + adapter.name() + " has " + other
                    + ": only LoRA factors of matrices can be added to a running model; merge it into the model first"
                    + " (pollux merge)");
        });
        Map<String, String> places = new HashMap<>(); // matrix → its factors' shapes
        for (Projection p : manifest.projections()) {
            for (int i = 0; i < p.weights().size(); i++) {
                int rows = p.rows().get(i);
                // PEFT's factors of an embedding are those of its transpose
                places.put(p.weights().get(i), p.lookup() ? shapes(p.columns(), rows) : shapes(rows, p.columns()));
            }
        }
        Map<String, LowRankChange> changes = adapter.factorsNamed(places.keySet());
        if (changes.isEmpty()) {
            throw new MalformedFileException(
                    "The adapter " + adapter.name() + " holds no LoRA factors; download the adapter again");
        }
        requirePlaces(manifest, adapter.name(), changes, places);
        return changes;
    }

    private static void requirePlaces(
            DecoderManifest manifest, String adapter, Map<String, LowRankChange> changes, Map<String, String> places) {
        Set<String> strangers = new TreeSet<>(changes.keySet());
        strangers.removeAll(places.keySet());
        if (!strangers.isEmpty()) {
            throw new UnsupportedModelException("The adapter " + adapter + " changes "
                    + strangers.iterator().next()
                    + (strangers.size() == 1 ? "" : " and " + (strangers.size() - 1) + " more")
                    + ", which is not a projection of " + manifest.name()
                    + " as it is stored; merge it into its model first (pollux merge), or use the model it was"
                    + " trained on");
        }
        changes.forEach((matrix, f) -> {
            if (!shapes(f.rows(), f.columns()).equals(places.get(matrix))) {
                throw new UnsupportedModelException("The adapter " + adapter + " has factors for a matrix of "
                        + shapes(f.rows(), f.columns()) + " but " + matrix + " of " + manifest.name() + " has "
                        + places.get(matrix) + "; use the model it was trained on");
            }
        });
    }

    private static String shapes(int rows, int columns) {
        return rows + " rows and " + columns + " columns";
    }

    /**
     * One product of a projection.
     *
     * @param a (rank, columns)
     * @param b (rows, rank)
     * @param firstRow of the matrix among those that are multiplied as one
     */
    private record Part(int rank, int rows, float[] a, float[] b, double scale, int firstRow) {}

    private void load(Projection p, List<Scaled> adapters) {
        List<Part> parts = new ArrayList<>();
        int rows = 0;
        for (int i = 0; i < p.weights().size(); i++) {
            for (Scaled adapter : adapters) {
                LowRankChange f = adapter.changes().get(p.weights().get(i));
                if (f != null) {
                    double scale = adapter.scale() * f.scale();
                    parts.add(new Part(f.rank(), f.rows(), floats(f.a()), floats(f.b()), scale, rows));
                }
            }
            rows += p.rows().get(i);
        }
        int in = p.lookup() ? rows : p.columns();
        int out = p.lookup() ? p.columns() : rows;
        int rank = parts.stream().mapToInt(Part::rank).sum();
        FloatBuffer a = allocate(in, rank);
        FloatBuffer b = allocate(rank, out);
        int first = 0;
        for (Part part : parts) {
            for (int r = 0; r < part.rank(); r++, first++) {
                for (int c = 0; c < in; c++) {
                    a.put(c * rank + first, part.a()[r * in + c]);
                }
                for (int row = 0; row < part.rows(); row++) {
                    float value = (float) (part.b()[row * part.rank() + r] * part.scale());
                    b.put(first * out + part.firstRow() + row, value);
                }
            }
        }
        put(AdapterGraph.a(p), a, in, rank);
        put(AdapterGraph.b(p), b, rank, out);
    }

    private static float[] floats(TensorSource source) {
        float[] values = new float[Math.toIntExact(source.elements())];
        source.read(0, values.length, values, 0);
        return values;
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

    /** Ends the streams that use it, waits for their steps and frees it. Idempotent; closing the model does the same. */
    @Override
    public void close() {
        owner.unload(this);
    }

    void free() {
        inputs.values().forEach(OnnxTensor::close);
        handle.close();
    }
}
