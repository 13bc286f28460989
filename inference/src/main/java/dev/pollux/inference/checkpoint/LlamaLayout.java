package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks the tensors of the Llama family, by Hugging Face name, against a configuration: none may be missing, have a different
 * shape, or be ignored silently.
 */
final class LlamaLayout {

    private static final Pattern BIAS =
            Pattern.compile("model\\.layers\\.\\d+\\.(self_attn\\.[qkvo]_proj|mlp\\.(gate|up|down)_proj)\\.bias");
    /** Recomputed from the configuration; old exports store it. */
    private static final Pattern DERIVED = Pattern.compile(".*rotary_emb\\.inv_freq|rope_freqs\\.weight");

    private final Path source;
    private final ModelConfig config;
    private final Map<String, TensorInfo> left;

    private LlamaLayout(Path source, ModelConfig config, TensorFile tensors) {
        this.source = source;
        this.config = config;
        this.left = new LinkedHashMap<>(tensors.tensors());
    }

    static void check(Path source, ModelConfig config, TensorFile tensors) {
        LlamaLayout layout = new LlamaLayout(source, config, tensors);
        List<MalformedFileException> missing = new ArrayList<>();
        try {
            layout.requireAll();
        } catch (MalformedFileException e) {
            missing.add(e);
        }
        // A tensor of another architecture is more informative than one that is missing because of it.
        layout.refuseSurplus(missing.isEmpty());
        if (!missing.isEmpty()) {
            throw missing.get(0);
        }
    }

    private void requireAll() {
        long hidden = config.hiddenSize();
        long width = (long) config.heads() * config.headDim();
        long narrow = (long) config.keyValueHeads() * config.headDim();
        long inner = config.intermediateSize();
        require("model.embed_tokens.weight", config.vocabularySize(), hidden);
        require("model.norm.weight", hidden);
        if (config.tiedEmbedding()) {
            left.remove("lm_head.weight");
        } else {
            require("lm_head.weight", config.vocabularySize(), hidden);
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            String at = "model.layers." + layer + ".";
            require(at + "input_layernorm.weight", hidden);
            projection(at + "self_attn.q_proj", width, hidden);
            projection(at + "self_attn.k_proj", narrow, hidden);
            projection(at + "self_attn.v_proj", narrow, hidden);
            projection(at + "self_attn.o_proj", hidden, width);
            require(at + "post_attention_layernorm.weight", hidden);
            projection(at + "mlp.gate_proj", inner, hidden);
            projection(at + "mlp.up_proj", inner, hidden);
            projection(at + "mlp.down_proj", hidden, inner);
        }
    }

    private void projection(String name, long rows, long columns) {
        require(name + ".weight", rows, columns);
        if (left.containsKey(name + ".bias")) {
            require(name + ".bias", rows);
        }
    }

    private void require(String name, Long... shape) {
        TensorInfo info = left.remove(name);
        if (info == null) {
            throw new MalformedFileException(source + " has no tensor " + name + " of shape " + List.of(shape)
                    + "; it is incomplete, download it again");
        }
        if (!info.shape().equals(List.of(shape))) {
            throw new MalformedFileException(source + ": " + name + " must be of shape " + List.of(shape) + " but is "
                    + info.shape() + "; the configuration and the weights do not belong together");
        }
    }

    private void require(String name, long rows, long columns) {
        require(name, new Long[] {rows, columns});
    }

    private void require(String name, long rows) {
        require(name, new Long[] {rows});
    }

    private void refuseSurplus(boolean complete) {
        for (String name : left.keySet()) {
            if (!DERIVED.matcher(name).matches() && (complete || !isKnown(name))) {
                throw new UnsupportedModelException(source + ": the tensor " + name + " does not belong to "
                        + config.architecture() + " with " + config.layers()
                        + " layers; the model is of another kind than it says");
            }
        }
    }

    private static boolean isKnown(String name) {
        Matcher weight = BIAS.matcher(name.replaceAll("\\.weight$", ".bias"));
        return weight.matches()
                || name.matches("model\\.layers\\.\\d+\\.(input|post_attention)_layernorm\\.weight")
                || name.equals("model.norm.weight")
                || name.equals("model.embed_tokens.weight")
                || name.equals("lm_head.weight");
    }
}
