package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * GGUF tensors of the Llama family under their Hugging Face names.
 *
 * <p>The rows of q and k are stored for rotation of neighbouring pairs, per head [headDim/2, 2]; they are given back in the
 * order for rotation of halves, [2, headDim/2]. Rows move whole, so quantized blocks, which run along a row, stay as they are.
 */
final class GgufTensors implements TensorFile {

    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d+)\\.([a-z_]+)\\.(weight|bias)");
    private static final Map<String, String> NAMES = Map.of(
            "attn_norm", "input_layernorm",
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_norm", "post_attention_layernorm",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");

    private final TensorFile file;
    private final int headDim;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    GgufTensors(TensorFile file, ModelConfig config) {
        this.file = file;
        this.headDim = config.headDim();
        file.tensors().forEach((name, info) -> {
            if (tensors.put(rename(name), info) != null) {
                throw new MalformedFileException(
                        "Tensor " + name + " stands twice, under two names; get the file again");
            }
        });
    }

    private static String rename(String name) {
        Matcher block = BLOCK.matcher(name);
        if (block.matches() && NAMES.containsKey(block.group(2))) {
            return "model.layers." + block.group(1) + "." + NAMES.get(block.group(2)) + "." + block.group(3);
        }
        return switch (name) {
            case "token_embd.weight" -> "model.embed_tokens.weight";
            case "output_norm.weight" -> "model.norm.weight";
            case "output.weight" -> "lm_head.weight";
            default -> name;
        };
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        TensorInfo info = info(name);
        if (!name.contains(".q_proj.") && !name.contains(".k_proj.")) {
            return file.bytes(info.name(), offset, length);
        }
        long rowBytes = info.byteLength() / info.shape().get(0);
        if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
            return file.bytes(info.name(), offset, length); // which says what is wrong
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

    /** The stored row of row {@code row} in rotate-half order. */
    private long storedRow(long row) {
        long within = row % headDim;
        return row - within + within % (headDim / 2) * 2 + within / (headDim / 2);
    }

    @Override
    public void close() {
        file.close();
    }
}
