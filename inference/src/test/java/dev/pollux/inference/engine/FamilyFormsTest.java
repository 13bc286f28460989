package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two forms of one model of random weights give the same logits. */
@NoLeaks
class FamilyFormsTest {

    /** Two orders of products in single precision; a factor at the wrong place moves a logit by tenths. */
    private static final double TOLERANCE = 1e-4;

    private static final long SEED = 41;
    private static final int HIDDEN = 32;
    private static final int VOCABULARY = 20;

    private static final String COMMON = "'hidden_size':32,'num_hidden_layers':2,'num_attention_heads':2,"
            + "'vocab_size':20,'max_position_embeddings':64,'rms_norm_eps':1e-5,'rope_theta':10000.0,";
    private static final String FALCON = "{'architectures':['FalconH1ForCausalLM']," + COMMON
            + "'num_key_value_heads':1,'intermediate_size':24,'mamba_n_heads':2,'mamba_n_groups':2,'mamba_d_state':8,"
            + "'mamba_rms_norm':true,'mamba_norm_before_gate':false";
    private static final String FACTORS = ",'embedding_multiplier':1.5,'lm_head_multiplier':0.5,"
            + "'attention_in_multiplier':1.2,'key_multiplier':0.7,'attention_out_multiplier':0.9,"
            + "'ssm_in_multiplier':1.1,'ssm_out_multiplier':0.8,'ssm_multipliers':[0.6,1.3,0.9,1.2,0.75],"
            + "'mlp_multipliers':[0.85,1.4]";
    private static final String DEEPSEEK = "{'architectures':['DeepseekV2ForCausalLM']," + COMMON
            + "'intermediate_size':24,'kv_lora_rank':8,'q_lora_rank':null,'qk_nope_head_dim':8,'qk_rope_head_dim':8,"
            + "'v_head_dim':8,'n_routed_experts':4,'moe_intermediate_size':8,"
            + "'n_shared_experts':2,'first_k_dense_replace':1,'routed_scaling_factor':1.5";

    private static final String GPT2 = "{'architectures':['GPT2LMHeadModel'],'n_embd':32,'n_layer':2,'n_head':2,"
            + "'n_positions':64,'vocab_size':20,'layer_norm_epsilon':1e-5,'tie_word_embeddings':true";
    private static final String GEMMA3 = "{'architectures':['Gemma3ForCausalLM']," + COMMON
            + "'num_key_value_heads':1,'head_dim':16,'intermediate_size':24,'sliding_window':4,"
            + "'tie_word_embeddings':true,'layer_types':['sliding_attention','full_attention']";

    @TempDir
    Path temp;

    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final Random random = new Random(SEED);

    @Test
    void theFactorsOfFalconH1MayAsWellBeInItsMatrices() throws IOException {
        falcon();
        float[] factors = logits("factors", FALCON + FACTORS + "}");
        multiply("embed_tokens", 1.5);
        multiply("lm_head", 0.5);
        multiply("q_proj", 1.2);
        multiply("v_proj", 1.2);
        multiply("k_proj", 1.2 * 0.7);
        multiply("o_proj", 0.9);
        multiply("out_proj", 0.8);
        multiply("gate_proj", 0.85);
        multiply("down_proj", 1.4);
        multiply("in_proj", 1.1);
        double[] parts = {0.6, 1.3, 0.9, 1.2, 0.75}; // of the gate, x, B, C and dt
        int[] ends = {16, 32, 48, 64, 66};
        values.forEach((name, matrix) -> {
            for (int i = 0; name.contains("in_proj") && i < matrix.length; i++) {
                int part = 0;
                while (i / HIDDEN >= ends[part]) {
                    part++;
                }
                matrix[i] *= (float) parts[part];
            }
        });
        same(logits("matrices", FALCON + "}"), factors);
    }

    @Test
    void anAttentionOfNothingLeavesFalconH1ItsMixerAlone() throws IOException {
        falcon();
        float[] both = logits("both", FALCON + "}");
        float[] alone = logits("alone", FALCON + ",'attention_out_multiplier':0.0}");
        multiply("o_proj", 0);
        same(logits("zeros", FALCON + "}"), alone);
        assertThat(both[0]).isNotCloseTo(alone[0], within((float) TOLERANCE));
    }

    @Test
    void allGroupsOfDeepseekV2AreNoChoice() throws IOException {
        deepseek();
        float[] greedy = logits("greedy", DEEPSEEK + ",'num_experts_per_tok':2,'topk_method':'greedy'}");
        String limited =
                DEEPSEEK + ",'num_experts_per_tok':2,'topk_method':'group_limited_greedy','n_group':2,'topk_group':";
        same(logits("two", limited + "2}"), greedy);
    }

    /** Scores of a group are its largest: one expert above all others decides, however low its neighbour is. */
    @Test
    void theGroupOfTheBestExpertIsChosen() throws IOException {
        deepseek();
        String limited = DEEPSEEK + ",'num_experts_per_tok':1,'topk_method':'group_limited_greedy','n_group':2,"
                + "'topk_group':1}";
        same(logits("limited", limited), logits("one", DEEPSEEK + ",'num_experts_per_tok':1,'topk_method':'greedy'}"));
    }

    /** Scores of unscaled attention are those of queries times the square root of the width. */
    @Test
    void theScaleThatGpt2LeavesOutMayAsWellBeInItsQueries() throws IOException {
        gpt2();
        float[] unscaled = logits("unscaled", GPT2 + ",'scale_attn_weights':false}");
        float[] scaled = logits("scaled", GPT2 + "}");
        double root = Math.sqrt(HIDDEN / 2.0);
        values.forEach((name, matrix) -> {
            for (int i = 0; name.contains("c_attn") && i < matrix.length; i++) {
                matrix[i] *=
                        i % (3 * HIDDEN) < HIDDEN ? (float) root : 1; // (in, [q, k, v]), and a bias of the same order
            }
        });
        same(logits("queries", GPT2 + "}"), unscaled);
        assertThat(scaled[0]).isNotCloseTo(unscaled[0], within((float) TOLERANCE));
    }

    /** Configurations of Gemma 3 still have Gemma 2's cap of scores, which no implementation applies. */
    @Test
    void gemma3HasNoCapOfScores() throws IOException {
        gemma3();
        same(
                logits("capped", GEMMA3 + ",'attn_logit_softcapping':0.5,'query_pre_attn_scalar':1}"),
                logits("plain", GEMMA3 + ",'query_pre_attn_scalar':1}"));
    }

    @Test
    void aGemma3ThatSeesTheTextAfterATokenIsRefused() {
        gemma3();
        assertThatThrownBy(() -> logits("both", GEMMA3 + ",'use_bidirectional_attention':true}"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(temp.resolve("both/config.json")
                        + ": use_bidirectional_attention is true, so the model sees the text after a token and cannot"
                        + " write; open it as an embedder");
    }

    private void gpt2() {
        add("wte.weight", 0.5, VOCABULARY, HIDDEN);
        add("wpe.weight", 0.2, 64, HIDDEN);
        layerNorm("ln_f");
        for (int layer = 0; layer < 2; layer++) {
            String at = "h." + layer + ".";
            layerNorm(at + "ln_1");
            layerNorm(at + "ln_2");
            conv(at + "attn.c_attn", HIDDEN, 3 * HIDDEN);
            conv(at + "attn.c_proj", HIDDEN, HIDDEN);
            conv(at + "mlp.c_fc", HIDDEN, 4 * HIDDEN);
            conv(at + "mlp.c_proj", 4 * HIDDEN, HIDDEN);
        }
    }

    private void conv(String name, int in, int out) {
        add(name + ".weight", 0.2, in, out);
        add(name + ".bias", 0.2, out);
    }

    private void layerNorm(String name) {
        norm(name + ".weight", HIDDEN);
        add(name + ".bias", 0.2, HIDDEN);
    }

    private void gemma3() {
        add("model.embed_tokens.weight", 0.5, VOCABULARY, HIDDEN);
        add("model.norm.weight", 0.2, HIDDEN);
        for (int layer = 0; layer < 2; layer++) {
            String at = "model.layers." + layer + ".";
            for (String norm : List.of(
                    "input_layernorm",
                    "post_attention_layernorm",
                    "pre_feedforward_layernorm",
                    "post_feedforward_layernorm")) {
                add(at + norm + ".weight", 0.2, HIDDEN);
            }
            add(at + "self_attn.q_proj.weight", 0.2, 32, HIDDEN);
            add(at + "self_attn.k_proj.weight", 0.2, 16, HIDDEN);
            add(at + "self_attn.v_proj.weight", 0.2, 16, HIDDEN);
            add(at + "self_attn.o_proj.weight", 0.2, HIDDEN, 32);
            add(at + "self_attn.q_norm.weight", 0.2, 16);
            add(at + "self_attn.k_norm.weight", 0.2, 16);
            mlp(at + "mlp.", 24);
        }
    }

    private void falcon() {
        add("model.embed_tokens.weight", 0.5, VOCABULARY, HIDDEN);
        add("lm_head.weight", 0.3, VOCABULARY, HIDDEN);
        norm("model.final_layernorm.weight", HIDDEN);
        for (int layer = 0; layer < 2; layer++) {
            String at = "model.layers." + layer + ".";
            norm(at + "input_layernorm.weight", HIDDEN);
            norm(at + "pre_ff_layernorm.weight", HIDDEN);
            add(at + "self_attn.q_proj.weight", 0.2, 32, HIDDEN);
            add(at + "self_attn.k_proj.weight", 0.2, 16, HIDDEN);
            add(at + "self_attn.v_proj.weight", 0.2, 16, HIDDEN);
            add(at + "self_attn.o_proj.weight", 0.2, HIDDEN, 32);
            add(at + "feed_forward.gate_proj.weight", 0.2, 24, HIDDEN);
            add(at + "feed_forward.up_proj.weight", 0.2, 24, HIDDEN);
            add(at + "feed_forward.down_proj.weight", 0.2, HIDDEN, 24);
            add(at + "mamba.in_proj.weight", 0.2, 66, HIDDEN);
            add(at + "mamba.conv1d.weight", 0.4, 48, 1, 4);
            add(at + "mamba.conv1d.bias", 0.2, 48);
            add(at + "mamba.dt_bias", 0.5, 2);
            add(at + "mamba.A_log", 0.5, 2);
            norm(at + "mamba.D", 2);
            norm(at + "mamba.norm.weight", 16);
            add(at + "mamba.out_proj.weight", 0.2, HIDDEN, 16);
        }
    }

    private void deepseek() {
        add("model.embed_tokens.weight", 0.5, VOCABULARY, HIDDEN);
        add("lm_head.weight", 0.3, VOCABULARY, HIDDEN);
        norm("model.norm.weight", HIDDEN);
        for (int layer = 0; layer < 2; layer++) {
            String at = "model.layers." + layer + ".";
            norm(at + "input_layernorm.weight", HIDDEN);
            norm(at + "post_attention_layernorm.weight", HIDDEN);
            add(at + "self_attn.q_proj.weight", 0.2, 32, HIDDEN);
            add(at + "self_attn.kv_a_proj_with_mqa.weight", 0.2, 16, HIDDEN);
            norm(at + "self_attn.kv_a_layernorm.weight", 8);
            add(at + "self_attn.kv_b_proj.weight", 0.2, 32, 8);
            add(at + "self_attn.o_proj.weight", 0.2, HIDDEN, 16);
        }
        mlp("model.layers.0.mlp.", 24);
        add("model.layers.1.mlp.gate.weight", 0.3, 4, HIDDEN);
        mlp("model.layers.1.mlp.shared_experts.", 16);
        for (int expert = 0; expert < 4; expert++) {
            mlp("model.layers.1.mlp.experts." + expert + ".", 8);
        }
    }

    private void mlp(String at, int width) {
        add(at + "gate_proj.weight", 0.2, width, HIDDEN);
        add(at + "up_proj.weight", 0.2, width, HIDDEN);
        add(at + "down_proj.weight", 0.2, HIDDEN, width);
    }

    private void add(String name, double deviation, long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) (random.nextGaussian() * deviation);
        }
        values.put(name, numbers);
        shapes.put(name, shape);
    }

    private void norm(String name, int width) {
        add(name, 0.2, width);
        float[] weight = values.get(name);
        for (int i = 0; i < width; i++) {
            weight[i] += 1;
        }
    }

    private void multiply(String part, double factor) {
        values.forEach((name, matrix) -> {
            for (int i = 0; ("." + name).contains("." + part + ".") && i < matrix.length; i++) {
                matrix[i] *= (float) factor;
            }
        });
    }

    private float[] logits(String name, String config) throws IOException {
        Path model = Files.createDirectories(temp.resolve(name));
        Files.writeString(model.resolve("config.json"), config.replace('\'', '"'));
        SafetensorsBuilder weights = new SafetensorsBuilder();
        values.forEach((tensor, numbers) -> weights.floats(tensor, numbers.clone(), shapes.get(tensor)));
        weights.write(model.resolve("model.safetensors"));
        ExportOptions floats =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            DecoderExport.export(checkpoint, temp.resolve(name + ".export"), floats)
                    .run();
        }
        EngineOptions engine =
                EngineOptions.builder().prefillChunk(4).threads(1).build();
        try (DecoderModel decoder = DecoderModel.open(temp.resolve(name + ".export"), engine);
                DecoderSequence sequence = decoder.sequence()) {
            FloatBuffer last = sequence.append(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5);
            float[] read = new float[VOCABULARY];
            last.get(0, read);
            return read;
        }
    }

    private static void same(float[] actual, float[] due) {
        for (int i = 0; i < due.length; i++) {
            assertThat((double) actual[i]).as("seed %d, logit %d", SEED, i).isCloseTo(due[i], within(TOLERANCE));
        }
    }
}
