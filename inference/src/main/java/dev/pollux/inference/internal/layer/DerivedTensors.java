package dev.pollux.inference.internal.layer;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.TensorBytes;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * A checkpoint's tensors and tensors derived from them: slices, transposes, reordered rows. It tracks reads to detect
 * unused tensors. <em>Confined to one thread, except for reading floats and bytes of tensors that were required
 * before.</em>
 */
public final class DerivedTensors implements TensorFile {

    /** Tensors that are computed from the configuration; old checkpoints store them. */
    private static final Pattern DERIVED = Pattern.compile(
            ".*rotary_emb\\..*|rope_(freqs|factors_long|factors_short)\\.weight|.*\\.attn\\.((masked_)?bias|causal_mask)|.*attention\\.(masked_)?bias");

    private final TensorFile stored;
    private final Map<String, TensorInfo> all;
    private final Map<String, Supplier<float[]>> made = new HashMap<>();
    private final Set<String> used = new LinkedHashSet<>();
    private final ReentrantLock making = new ReentrantLock();
    private String lastName = "";
    private float[] last = {};

    public DerivedTensors(TensorFile stored) {
        this.stored = stored;
        this.all = new LinkedHashMap<>(stored.tensors());
    }

    public boolean has(String name) {
        return all.containsKey(name);
    }

    /**
     * Defines (rows, columns) under {@code name}; {@code values} is called when it is read, and {@code of} is marked as
     * read.
     */
    public String define(String name, String of, int rows, int columns, Supplier<float[]> values) {
        return define(name, of, List.of((long) rows, (long) columns), values);
    }

    /** The same for any shape. */
    public String define(String name, String of, List<Long> shape, Supplier<float[]> values) {
        DType type = require(of).type();
        DType shown = type.blockSize() == 1 ? type : DType.F32;
        all.put(name, new TensorInfo(name, shown, shape, 0, 0));
        made.put(name, values);
        return name;
    }

    /** The tensor stored under {@code name}, which must exist. */
    public TensorInfo require(String name) {
        TensorInfo info = all.get(name);
        if (info == null) {
            throw new MalformedFileException("The checkpoint has no tensor " + name + "; it is incomplete");
        }
        if (!used.contains(name)) {
            used.add(name);
        }
        return info;
    }

    /** A tensor as a vector of {@code length} elements. */
    public float[] vector(String name, int length) {
        requireLength(name, length);
        return floats(name, 0, length);
    }

    private void requireLength(String name, int length) {
        if (require(name).elements() != length) {
            throw new MalformedFileException(name + " must have " + length + " elements but has "
                    + require(name).elements() + "; the configuration and the weights do not match");
        }
    }

    /** A vector that is checked now and read on demand. */
    public Supplier<float[]> vectorLater(String name, int length) {
        requireLength(name, length);
        return () -> floats(name, 0, length);
    }

    /** Releases the values of the last derived tensor, so that it is computed anew. */
    public void forget() {
        making.lock();
        try {
            lastName = "";
            last = new float[0];
        } finally {
            making.unlock();
        }
    }

    /** Whether two stored tensors have the same type and bytes; true if one of them is derived. */
    boolean same(String one, String other) {
        require(one);
        require(other);
        return made.containsKey(one) || made.containsKey(other) || TensorBytes.equal(stored, one, other);
    }

    /** Excludes a tensor from the check for surplus ones. */
    void ignore(String name) {
        used.add(name);
    }

    /** The names of the tensors read, as stored in the file. */
    public Set<String> used() {
        Set<String> names = new LinkedHashSet<>();
        for (String name : used) {
            TensorInfo info = all.get(name);
            names.add(info == null ? name : info.name());
        }
        return names;
    }

    /** Fails if a tensor was not read, except {@code unread} ones and those computed from the configuration. */
    public void refuseSurplus(String architecture, Predicate<String> unread) {
        List<String> surplus = new ArrayList<>(stored.tensors().keySet());
        surplus.removeAll(used);
        surplus.removeIf(name -> DERIVED.matcher(name).matches() || unread.test(name));
        if (!surplus.isEmpty()) {
            throw new UnsupportedModelException("The tensor " + surplus.get(0) + " does not belong to " + architecture
                    + (surplus.size() == 1 ? "" : ", nor do " + (surplus.size() - 1) + " others")
                    + "; the model is of another kind than it says");
        }
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(all);
    }

    @Override
    public TensorInfo info(String name) {
        return require(name);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        return stored.bytes(name, offset, length);
    }

    @Override
    public float[] floats(String name, long first, int count) {
        if (!made.containsKey(name)) {
            return TensorFile.super.floats(name, first, count);
        }
        float[] values = new float[count]; // the type is that of another tensor, of which nothing is read here
        read(name, first, count, values, 0);
        return values;
    }

    @Override
    public void read(String name, long first, int count, float[] into, int at) {
        Supplier<float[]> values = made.get(name);
        if (values == null) {
            require(name);
            stored.read(name, first, count, into, at);
            return;
        }
        making.lock();
        try {
            if (!lastName.equals(name)) {
                last = values.get();
                lastName = name;
            }
            System.arraycopy(last, Math.toIntExact(first), into, at, count);
        } finally {
            making.unlock();
        }
    }

    @Override
    public void close() {
        stored.close();
    }
}
