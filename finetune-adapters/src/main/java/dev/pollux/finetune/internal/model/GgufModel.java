package dev.pollux.finetune.internal.model;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A view of a GGUF file as the Hugging Face folder from which it was converted: dequantized tensors under their original names,
 * a configuration and a tokenizer. <em>Thread-safe; who opens it closes it.</em>
 */
final class GgufModel implements AutoCloseable {

    /** Dense classes with a one-to-one mapping of tensors between GGUF file and folder, and their {@code model_type}. */
    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("LlamaForCausalLM", "llama"),
            Map.entry("Qwen2ForCausalLM", "qwen2"),
            Map.entry("Qwen3ForCausalLM", "qwen3"),
            Map.entry("Gemma2ForCausalLM", "gemma2"),
            Map.entry("Gemma3ForCausalLM", "gemma3_text"),
            Map.entry("Phi3ForCausalLM", "phi3"),
            Map.entry("GraniteForCausalLM", "granite"),
            Map.entry("Olmo2ForCausalLM", "olmo2"),
            Map.entry("SmolLM3ForCausalLM", "smollm3"),
            Map.entry("Glm4ForCausalLM", "glm4"),
            Map.entry("CohereForCausalLM", "cohere"));

    /** The factors of Llama 3.1 and 3.2. */
    private static final double[] LLAMA_3_FACTORS = {8, 32};

    private static final int LLAMA_3_CONTEXT = 8192;
    private static final double SAME = 1e-3;

    private final Checkpoint checkpoint;
    private final ObjectNode config;
    private final Map<String, String> texts = new LinkedHashMap<>();

    private GgufModel(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        this.config = readConfig();
        Optional<Tokenizer> found = checkpoint.tokenizer();
        if (found.isPresent()) {
            try (Tokenizer tokenizer = found.get()) {
                texts.put("tokenizer.json", tokenizer.toJson());
                OptionalInt bos = tokenizer.idOf(checkpoint.specialTokens().bos());
                bos.ifPresent(id -> config.put("bos_token_id", id));
            }
        }
        ObjectNode special = new ObjectNode();
        special.put("tokenizer_class", "PreTrainedTokenizerFast");
        put(special, "bos_token", checkpoint.specialTokens().bos());
        put(special, "eos_token", checkpoint.specialTokens().eos());
        texts.put("tokenizer_config.json", special.toPrettyString());
        checkpoint.chatTemplate().ifPresent(template -> texts.put("chat_template.jinja", template));
    }

    /** Whether {@code path} is a GGUF file, or a folder with a GGUF file and without safetensors. */
    static boolean isAt(Path path) {
        if (Files.isRegularFile(path)) {
            return GgufFile.isName(path.toString());
        }
        if (!Files.isDirectory(path) || SafetensorsFolder.isIn(path)) {
            return false;
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.anyMatch(file -> GgufFile.isModelName(file.toString()));
        } catch (IOException e) {
            throw new dev.pollux.StorageException("Cannot list " + path + ": " + e, e);
        }
    }

    static GgufModel open(Path path) {
        Checkpoint checkpoint = Checkpoint.open(path);
        try {
            return new GgufModel(checkpoint);
        } catch (RuntimeException | Error e) {
            checkpoint.close();
            throw e;
        }
    }

    private static void put(ObjectNode json, String key, String value) {
        if (!value.isEmpty()) {
            json.put(key, value);
        }
    }

    private ObjectNode readConfig() {
        ModelConfig shape = checkpoint.config();
        String type = TYPES.get(shape.architecture());
        if (type == null) {
            throw new UnsupportedModelException("model " + checkpoint.path() + " is a " + shape.architecture()
                    + ", which cannot be merged from a GGUF file, only "
                    + String.join(", ", new TreeSet<>(TYPES.keySet()))
                    + "; use its Hugging Face folder");
        }
        ObjectNode json = new ObjectNode();
        json.putArray("architectures").add(shape.architecture());
        json.put("model_type", type);
        json.put("hidden_size", shape.hiddenSize());
        json.put("intermediate_size", shape.intermediateSize());
        json.put("num_hidden_layers", shape.layers());
        json.put("num_attention_heads", shape.heads());
        json.put("num_key_value_heads", shape.keyValueHeads());
        json.put("head_dim", shape.headDim());
        json.put("vocab_size", shape.vocabularySize());
        json.put("max_position_embeddings", shape.contextLength());
        json.put("rms_norm_eps", shape.normEpsilon());
        json.put("rope_theta", shape.rotaryTheta());
        json.put("hidden_act", type.startsWith("gemma") ? "gelu_pytorch_tanh" : "silu");
        json.put("tie_word_embeddings", shape.tiedEmbedding());
        json.put("dtype", "float32");
        List<Integer> ends = checkpoint.endTokens();
        if (ends.size() == 1) {
            json.put("eos_token_id", ends.get(0));
        } else {
            ends.forEach(json.putArray("eos_token_id")::add);
        }
        if (JsonNode.parse(checkpoint.settings().toJson()) instanceof ObjectNode known) {
            known.properties().forEach(entry -> json.set(entry.getKey(), entry.getValue()));
        }
        if (checkpoint.settings().isEmpty()) {
            scaling(shape, json);
        }
        return json;
    }

    private void scaling(ModelConfig shape, ObjectNode json) {
        if (shape.rotaryScaling() instanceof RotaryScaling.Linear linear) {
            json.putObject("rope_scaling").put("rope_type", "linear").put("factor", linear.factor());
        } else if (shape.rotaryScaling() instanceof RotaryScaling.Yarn yarn) {
            json.putObject("rope_scaling")
                    .put("rope_type", "yarn")
                    .put("factor", yarn.factor())
                    .put("beta_fast", yarn.betaFast())
                    .put("beta_slow", yarn.betaSlow())
                    .put("original_max_position_embeddings", (long) yarn.originalContext())
                    .put("attention_factor", yarn.attentionFactor());
        } else if (shape.rotaryScaling() instanceof RotaryScaling.Factors factors) {
            double factor = llama3(shape, factors);
            json.putObject("rope_scaling")
                    .put("rope_type", "llama3")
                    .put("factor", factor)
                    .put("low_freq_factor", 1.0)
                    .put("high_freq_factor", 4.0)
                    .put("original_max_position_embeddings", LLAMA_3_CONTEXT);
        }
    }

    /** The scaling factor of Llama 3 that yields the stored factors. */
    private double llama3(ModelConfig shape, RotaryScaling.Factors stored) {
        double[] base = new double[shape.headDim() / 2];
        for (int i = 0; i < base.length; i++) {
            base[i] = Math.pow(shape.rotaryTheta(), -2.0 * i / shape.headDim());
        }
        double[] due = stored.apply(base, shape.rotaryTheta());
        for (double factor : LLAMA_3_FACTORS) {
            double[] made = new RotaryScaling.Llama3(factor, 1, 4, LLAMA_3_CONTEXT).apply(base, shape.rotaryTheta());
            boolean same = true;
            for (int i = 0; i < made.length; i++) {
                same &= Math.abs(made[i] - due[i]) <= SAME * due[i];
            }
            if (same) {
                return factor;
            }
        }
        throw new UnsupportedModelException("model " + checkpoint.path()
                + " stores rotary factors that no configuration can express; use its Hugging Face folder");
    }

    ObjectNode config() {
        return config;
    }

    Map<String, String> texts() {
        return texts;
    }

    Optional<ObjectNode> tokenizer() {
        String text = texts.get("tokenizer.json");
        return text != null && JsonNode.parse(text) instanceof ObjectNode json ? Optional.of(json) : Optional.empty();
    }

    Optional<String> chatTemplate() {
        return checkpoint.chatTemplate();
    }

    /** The tensors of the folder, dequantized on reading. */
    Map<String, TensorSource> tensors(String label) {
        Map<String, TensorSource> tensors = new TreeMap<>();
        for (Map.Entry<String, TensorInfo> tensor :
                checkpoint.tensors().tensors().entrySet()) {
            if (!tensor.getKey().startsWith("rope_")) {
                tensors.put(
                        tensor.getKey(),
                        new DequantizedTensor(
                                checkpoint.tensors(),
                                tensor.getKey(),
                                tensor.getValue(),
                                label + ":" + tensor.getKey()));
            }
        }
        return tensors;
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
