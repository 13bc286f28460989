package dev.pollux.inference.encoder;

import dev.pollux.tensor.DType;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.function.UnaryOperator;

/**
 * A checkpoint of small random numbers, all of which bfloat16 holds, of width 16, two heads and two layers.
 *
 * <p>Its tokens are words: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, then a to l, 4 to 15.
 */
public final class TinyCheckpoint {

    public static final int WIDTH = 16;
    public static final int INNER = 24;
    public static final int VOCABULARY = 16;
    public static final int POSITIONS = 40;
    public static final int LAYERS = 2;

    private record Tensor(float[] values, long[] shape) {}

    private final Path folder;
    private final Random random;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<String, String> config = new LinkedHashMap<>();

    private TinyCheckpoint(Path folder, String architecture, long seed) {
        this.folder = folder;
        this.random = new Random(seed);
        config.put("architectures", "[\"" + architecture + "\"]");
        set("hidden_size", WIDTH).set("intermediate_size", INNER).set("vocab_size", VOCABULARY);
        set("num_attention_heads", 2).set("num_hidden_layers", LAYERS).set("max_position_embeddings", POSITIONS);
    }

    /** A checkpoint without tensors. */
    public static TinyCheckpoint of(Path folder, String architecture) {
        return new TinyCheckpoint(folder, architecture, 7);
    }

    /** BERT, RoBERTa or ELECTRA without a head; {@code prefix} stands before every name. */
    public static TinyCheckpoint bert(Path folder, String architecture, String prefix) {
        TinyCheckpoint made = of(folder, architecture);
        made.linear(prefix + "embeddings.word_embeddings", VOCABULARY, WIDTH, false);
        made.linear(prefix + "embeddings.position_embeddings", POSITIONS, WIDTH, false);
        made.linear(prefix + "embeddings.token_type_embeddings", 2, WIDTH, false);
        made.norm(prefix + "embeddings.LayerNorm", true);
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = prefix + "encoder.layer." + layer + ".";
            for (String part : new String[] {"self.query", "self.key", "self.value", "output.dense"}) {
                made.linear(at + "attention." + part, WIDTH, WIDTH, true);
            }
            made.norm(at + "attention.output.LayerNorm", true);
            made.linear(at + "intermediate.dense", INNER, WIDTH, true);
            made.linear(at + "output.dense", WIDTH, INNER, true);
            made.norm(at + "output.LayerNorm", true);
        }
        return made;
    }

    /** The Llama block with one key-value head, without a head. */
    public static TinyCheckpoint decoder(Path folder, String architecture) {
        TinyCheckpoint made = of(folder, architecture).set("num_key_value_heads", 1);
        made.linear("embed_tokens", VOCABULARY, WIDTH, false);
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "layers." + layer + ".";
            made.norm(at + "input_layernorm", false).norm(at + "post_attention_layernorm", false);
            made.linear(at + "self_attn.q_proj", WIDTH, WIDTH, false);
            made.linear(at + "self_attn.k_proj", WIDTH / 2, WIDTH, false);
            made.linear(at + "self_attn.v_proj", WIDTH / 2, WIDTH, false);
            made.linear(at + "self_attn.o_proj", WIDTH, WIDTH, false);
            made.linear(at + "mlp.gate_proj", INNER, WIDTH, false);
            made.linear(at + "mlp.up_proj", INNER, WIDTH, false);
            made.linear(at + "mlp.down_proj", WIDTH, INNER, false);
        }
        return made.norm("norm", false);
    }

    public Path folder() {
        return folder;
    }

    /** Sets a value of {@code config.json}: a number, a truth value, or a text. */
    public TinyCheckpoint set(String key, Object value) {
        config.put(key, value instanceof String text ? "\"" + text + "\"" : value.toString());
        return this;
    }

    /** Sets a value of {@code config.json} given as JSON with single quotes; empty removes it. */
    public TinyCheckpoint json(String key, String value) {
        config.put(key, value.replace('\'', '"'));
        if (value.isEmpty()) {
            config.remove(key);
        }
        return this;
    }

    public TinyCheckpoint linear(String name, int out, int in, boolean bias) {
        tensor(name + ".weight", out, in);
        return bias ? tensor(name + ".bias", out) : this;
    }

    public TinyCheckpoint norm(String name, boolean bias) {
        tensor(name + ".weight", WIDTH);
        return bias ? tensor(name + ".bias", WIDTH) : this;
    }

    /** A tensor of random numbers in [−0.5, 0.5], multiples of 1/128. */
    public TinyCheckpoint tensor(String name, long... shape) {
        int size = 1;
        for (long dimension : shape) {
            size *= (int) dimension;
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (random.nextInt(129) - 64) / 128f;
        }
        tensors.put(name, new Tensor(values, shape));
        return this;
    }

    /** The numbers of a tensor, to be read or changed. */
    public float[] values(String name) {
        return tensors.get(name).values();
    }

    /** Stores a tensor under a second name. */
    public TinyCheckpoint copy(String from, String to) {
        tensors.put(to, tensors.get(from));
        return this;
    }

    public TinyCheckpoint without(String name) {
        tensors.remove(name);
        return this;
    }

    /** Removes the tensors whose names begin with {@code at}. */
    public TinyCheckpoint withoutLayer(String at) {
        tensors.keySet().removeIf(name -> name.startsWith(at));
        return this;
    }

    /** These tensors under other names, with another folder. */
    public TinyCheckpoint renamed(Path into, UnaryOperator<String> rename) {
        TinyCheckpoint other = of(into, "");
        tensors.forEach((name, tensor) -> other.tensors.put(rename.apply(name), tensor));
        other.config.putAll(config);
        return other;
    }

    /** Writes {@code config.json} and {@code model.safetensors}. */
    public TinyCheckpoint write() {
        return write(DType.F32);
    }

    /** The same with tensors as F32, F16 or BF16, which all hold them exactly. */
    public TinyCheckpoint write(DType type) {
        SafetensorsBuilder file = new SafetensorsBuilder();
        tensors.forEach((name, tensor) -> file.tensor(name, type, bytes(tensor.values(), type), tensor.shape()));
        StringJoiner json = new StringJoiner(",", "{", "}");
        config.forEach((key, value) -> json.add("\"" + key + "\":" + value));
        with("config.json", json.toString());
        file.write(folder.resolve("model.safetensors"));
        return this;
    }

    private static byte[] bytes(float[] values, DType type) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            int bits = Float.floatToRawIntBits(value);
            switch (type) {
                case F32 -> bytes.putInt(bits);
                case BF16 -> bytes.putShort((short) (bits >>> 16));
                case F16 -> bytes.putShort(half(value, bits));
                default -> throw new AssertionError(type);
            }
        }
        byte[] written = new byte[bytes.position()];
        bytes.flip().get(written);
        return written;
    }

    /** A normal number, of which half precision loses nothing. */
    private static short half(float value, int bits) {
        int exponent = (bits >>> 23 & 0xff) - 127 + 15;
        return (short) (value == 0 ? 0 : bits >>> 16 & 0x8000 | exponent << 10 | bits >>> 13 & 0x3ff);
    }

    /** Writes a file of the folder; single quotes become double ones. */
    public TinyCheckpoint with(String file, String content) {
        try {
            Files.createDirectories(folder.resolve(file).getParent());
            Files.writeString(folder.resolve(file), content.replace('\'', '"'));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a tokenizer of words, [CLS] text [SEP] or [CLS] text [SEP] pair [SEP] with types 0 and 1. */
    public TinyCheckpoint tokenizer() {
        StringJoiner vocabulary = new StringJoiner(",");
        String[] tokens = "[PAD] [UNK] [CLS] [SEP] a b c d e f g h i j k l".split(" ");
        for (int id = 0; id < tokens.length; id++) {
            vocabulary.add("'" + tokens[id] + "':" + id);
        }
        String begin = "{'SpecialToken':{'id':'[CLS]','type_id':0}},{'Sequence':{'id':'A','type_id':0}},"
                + "{'SpecialToken':{'id':'[SEP]','type_id':0}}";
        String pair = ",{'Sequence':{'id':'B','type_id':1}},{'SpecialToken':{'id':'[SEP]','type_id':1}}";
        String template = "{'type':'TemplateProcessing','single':[" + begin + "],'pair':[" + begin + pair
                + "],'special_tokens':{'[CLS]':{'id':'[CLS]','ids':[2],'tokens':['[CLS]']},"
                + "'[SEP]':{'id':'[SEP]','ids':[3],'tokens':['[SEP]']}}}";
        return with(
                "tokenizer.json",
                "{'version':'1.0','truncation':null,'padding':null,'added_tokens':[],'normalizer':null,"
                        + "'pre_tokenizer':{'type':'WhitespaceSplit'},'post_processor':" + template
                        + ",'decoder':null,'model':{'type':'WordLevel','vocab':{" + vocabulary
                        + "},'unk_token':'[UNK]'}}");
    }
}
