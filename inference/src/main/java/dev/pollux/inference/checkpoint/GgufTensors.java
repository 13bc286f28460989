package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * GGUF tensors under their Hugging Face names and in their layout:
 *
 * <table>
 * <caption>Differences in layout</caption>
 * <tr><th>tensor</th><th>GGUF</th><th>result</th></tr>
 * <tr><td>rows of q and k, in some families, per head</td><td>[headDim/2, 2], rotation of neighbouring pairs</td><td>[2,
 * headDim/2], rotation of halves</td></tr>
 * <tr><td>decays of state-space layers</td><td>−exp of the value</td><td>the value</td></tr>
 * <tr><td>experts</td><td>one tensor</td><td>one tensor per expert</td></tr>
 * </table>
 *
 * <p>Rows are moved whole, so quantized blocks, which run along a row, do not change.
 */
public final class GgufTensors implements TensorFile {

    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d+)\\.([a-z0-9_.]+?)(\\.(?:weight|bias))?");
    private static final int MOST_EXPERTS = 4096;

    private final TensorFile file;
    private final int headDim;
    private final GgufFamily family;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, Integer> experts = new HashMap<>(); // by name, the index within the stacked tensor

    /** The matrices of an adapter for a model of {@code family} whose head width is {@code headDim}. */
    public static GgufTensors ofAdapter(TensorFile file, int headDim, GgufFamily family) {
        return new GgufTensors(file, headDim, family, Integer.MAX_VALUE, 0);
    }

    /**
     * @param layers the number of the model's own layers
     * @param predictors the number of layers above them for multi-token prediction, which are not read
     */
    GgufTensors(TensorFile file, int headDim, GgufFamily family, int layers, int predictors) {
        this.file = file;
        this.headDim = headDim;
        this.family = family;
        file.tensors().forEach((name, info) -> {
            if (!isPredictor(name, layers, predictors)) {
                add(name, info);
            }
        });
    }

    private static boolean isPredictor(String name, int layers, int predictors) {
        Matcher block = BLOCK.matcher(name);
        if (predictors == 0 || !block.matches() || block.group(1).length() > 6) {
            return false;
        }
        int layer = Integer.parseInt(block.group(1));
        return layer >= layers && layer < layers + predictors;
    }

    private void add(String name, TensorInfo info) {
        String renamed = rename(name);
        if (!renamed.contains("%d")) {
            put(renamed, shaped(renamed, info));
            return;
        }
        int axes = name.endsWith(".bias") ? 2 : 3;
        if (info.shape().size() != axes || info.shape().get(0) > MOST_EXPERTS) {
            throw new MalformedFileException("Tensor " + name + " must have " + axes + " axes, the first of at most "
                    + MOST_EXPERTS + " experts, but is " + info.shape());
        }
        int count = info.dim(0);
        for (int e = 0; e < count; e++) {
            String own = renamed.replace("%d", Integer.toString(e));
            experts.put(own, e);
            long bytes = info.byteLength() / count;
            List<Long> shape = info.shape().subList(1, axes);
            put(own, new TensorInfo(info.name(), info.type(), shape, info.offset() + e * bytes, bytes));
        }
    }

    /** Kernels of convolutions, and gates with one row, are stored without their axis of length 1. */
    private static TensorInfo shaped(String name, TensorInfo info) {
        boolean kernel = name.endsWith("conv.conv.weight") || name.endsWith("conv1d.weight");
        List<Long> shape = info.shape();
        if (kernel && shape.size() == 2) {
            shape = List.of(shape.get(0), 1L, shape.get(1));
        } else if (name.endsWith(".shared_expert_gate.weight") && shape.size() == 1) {
            shape = List.of(1L, shape.get(0));
        }
        return new TensorInfo(info.name(), info.type(), shape, info.offset(), info.byteLength());
    }

    private void put(String name, TensorInfo info) {
        if (tensors.put(name, info) != null) {
            throw new MalformedFileException(
                    "Tensor " + info.name() + " occurs twice, under two names; download the file again");
        }
    }

    /** The name of a layer's tensor or of another one; unchanged if the family does not know it. */
    private String rename(String name) {
        Matcher block = BLOCK.matcher(name);
        if (block.matches()) {
            String end = block.group(3) == null ? "" : block.group(3);
            String own = own(block.group(2), end);
            return own.isEmpty() ? name : family.names().get("blk") + "." + block.group(1) + "." + own;
        }
        int dot = name.lastIndexOf('.');
        String own = dot < 0 ? "" : own(name.substring(0, dot), name.substring(dot));
        return own.isEmpty() ? name : own;
    }

    private String own(String name, String end) {
        Map<String, String> names = family.names();
        String whole = names.get(name + end);
        if (whole != null && !end.isEmpty()) {
            return whole;
        }
        return names.containsKey(name) ? names.get(name) + end : "";
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public void read(String name, long first, int count, float[] into, int at) {
        TensorFile.super.read(name, first, count, into, at);
        if (name.endsWith(".A_log")) {
            for (int i = at; i < at + count; i++) {
                into[i] = (float) Math.log(-into[i]);
            }
        } else if (family.normShift() != 0
                && name.endsWith("norm.weight")
                && !name.endsWith("linear_attn.norm.weight")) {
            for (int i = at; i < at + count; i++) {
                into[i] -= (float) family.normShift();
            }
        }
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        TensorInfo info = info(name);
        if (experts.containsKey(name)) {
            if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
                throw new IllegalArgumentException("bytes " + offset + " to " + (offset + length) + " are outside "
                        + name + ", which has " + info.byteLength());
            }
            return file.bytes(info.name(), experts.get(name) * info.byteLength() + offset, length);
        }
        boolean rotated = name.contains(".q_proj.") || name.contains(".k_proj.");
        return family.pairs() && rotated ? reordered(info, offset, length) : file.bytes(info.name(), offset, length);
    }

    private ByteBuffer reordered(TensorInfo info, long offset, int length) {
        long rowBytes = info.byteLength() / info.shape().get(0);
        if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
            return file.bytes(info.name(), offset, length); // which throws with a description
        }
        ByteBuffer rows = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = offset; at < offset + length; ) {
            int within = (int) (at % rowBytes);
            int some = (int) Math.min(rowBytes - within, offset + length - at);
            rows.put(file.bytes(info.name(), storedRow(at / rowBytes) * rowBytes + within, some));
            at += some;
        }
        return rows.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The index of the stored row that becomes row {@code row} in rotate-half order. */
    private long storedRow(long row) {
        long within = row % headDim;
        return row - within + within % (headDim / 2) * 2 + within / (headDim / 2);
    }

    @Override
    public void close() {
        file.close();
    }
}
