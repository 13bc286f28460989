package dev.pollux.inference.checkpoint;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Matrices that were published quantized, presented in the block type that can represent them: see {@link IntegerPacks},
 * {@link BitsAndBytes}, {@link Float8Packs} and {@link Mxfp4Experts}.
 *
 * <p>Blocks are computed while they are read. Nothing is written, and no scales are held between reads.
 */
final class PackedTensors implements TensorFile {

    static final Set<String> METHODS =
            Set.of("gptq", "awq", "compressed-tensors", "bitsandbytes", "mxfp4", "fp8", "fbgemm_fp8", "modelopt");

    private static final Pattern STATE = Pattern.compile("(.+)\\.quant_state\\.bitsandbytes__(nf4|fp4)");
    private static final Pattern PART = Pattern.compile(".*\\.("
            + "qzeros|scales|g_idx|weight_(scale|scale_inv|zero_point|shape|g_idx|format)|SCB"
            + "|weight\\.(absmax|quant_map|nested_absmax|nested_quant_map)"
            + "|(input|activation|output|k|v|q)_(scale|scale_ub|zero_point)"
            + "|(gate_up|down)_proj_scales)");

    private final TensorFile file;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, PackedTensor> packed = new HashMap<>();

    PackedTensors(TensorFile file, Settings quantization) {
        this.file = file;
        PackedParts parts = new PackedParts(file);
        IntegerPacks integers = new IntegerPacks(parts, quantization);
        BitsAndBytes fourBits = new BitsAndBytes(parts);
        Float8Packs floats = new Float8Packs(parts, quantization);
        Mxfp4Experts experts = new Mxfp4Experts(parts, this::add);
        boolean awq = quantization.text("quant_method", "").equals("awq");
        file.tensors().forEach((name, info) -> {
            Matcher state = STATE.matcher(name);
            if (state.matches()) {
                add(fourBits.of(state.group(1), state.group(2)));
            } else if (name.endsWith(".qweight")) {
                add(awq ? integers.awq(without(name, ".qweight")) : integers.gptq(without(name, ".qweight")));
            } else if (name.endsWith(".weight_packed")) {
                add(integers.compressed(without(name, ".weight_packed")));
            } else if (name.matches(".*\\.experts\\.(gate_up|down)_proj_blocks")) {
                experts.add(without(name, "_blocks"));
            } else if (name.endsWith(".weight") && info.type() == DType.I8 && hasScale(name, info)) {
                add(integers.bytes(without(name, ".weight")));
            } else if (name.endsWith(".weight") && info.type() == DType.F8_E4M3 && hasScale(name, info)) {
                add(floats.of(without(name, ".weight")));
            } else if (!isPart(name)) {
                tensors.putIfAbsent(name, info);
            }
        });
    }

    private boolean hasScale(String weight, TensorInfo info) {
        String at = without(weight, ".weight");
        return info.shape().size() == 2
                && (has(at + ".SCB") || has(at + ".weight_scale") || has(at + ".weight_scale_inv"));
    }

    private boolean isPart(String name) {
        boolean bias = name.endsWith("_proj_bias") && has(without(name, "_bias") + "_blocks");
        return bias || PART.matcher(name).matches();
    }

    private boolean has(String name) {
        return file.tensors().containsKey(name);
    }

    private static String without(String name, String end) {
        return name.substring(0, name.length() - end.length());
    }

    private void add(PackedTensor tensor) {
        tensors.put(tensor.info().name(), tensor.info());
        packed.put(tensor.info().name(), tensor);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        PackedTensor tensor = packed.get(name);
        if (tensor == null) {
            return file.bytes(name, offset, length);
        }
        TensorInfo info = tensor.info();
        if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
            throw new IllegalArgumentException("bytes " + offset + " to " + (offset + length) + " are outside " + name
                    + ", which has " + info.byteLength());
        }
        int size = info.type().blockBytes();
        long first = offset / size;
        int count = (int) ((offset + length + size - 1) / size - first);
        ByteBuffer made = ByteBuffer.allocate(Math.multiplyExact(count, size)).order(ByteOrder.LITTLE_ENDIAN);
        PackedTensor.Blocks blocks = tensor.source().get();
        int perRow = info.dim(info.shape().size() - 1) / info.type().blockSize();
        for (int i = 0; i < count; i++) {
            int column = (int) ((first + i) % perRow) * info.type().blockSize();
            blocks.write((int) ((first + i) / perRow), column, made);
        }
        int skipped = (int) (offset - first * size);
        return made.slice(skipped, length).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        file.close();
    }
}
