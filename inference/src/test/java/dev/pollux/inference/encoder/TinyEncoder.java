package dev.pollux.inference.encoder;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Value;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * The folder of an encoder whose every value is known: token t has the vector (t, 1 / (t + 1)).
 *
 * <p>Its tokens are words: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, then a to j, 4 to 13.
 */
final class TinyEncoder {

    static final int VOCABULARY = 14;
    static final int WIDTH = 2;

    private final Path folder;

    private TinyEncoder(Path folder) {
        this.folder = folder;
    }

    /** A folder with {@code model.onnx} and {@code tokenizer.json} and nothing else. */
    static TinyEncoder in(Path folder) {
        return bare(folder).model("model.onnx").tokenizer(true);
    }

    /** An empty folder. */
    static TinyEncoder bare(Path folder) {
        return new TinyEncoder(folder);
    }

    Path folder() {
        return folder;
    }

    static double[] vector(int token) {
        return new double[] {token, (float) (1.0 / (token + 1))};
    }

    /** Writes a file of the folder. */
    TinyEncoder with(String file, String content) {
        try {
            Files.createDirectories(folder.resolve(file).getParent());
            Files.writeString(folder.resolve(file), content.replace('\'', '"'));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    TinyEncoder tokenizer(boolean specialTokens) {
        StringJoiner vocabulary = new StringJoiner(",");
        List<String> tokens =
                List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.add("'" + tokens.get(id) + "':" + id);
        }
        String template = "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'[CLS]','type_id':0}},"
                + "{'Sequence':{'id':'A','type_id':0}},{'SpecialToken':{'id':'[SEP]','type_id':0}}],'pair':[],"
                + "'special_tokens':{'[CLS]':{'id':'[CLS]','ids':[2],'tokens':['[CLS]']},"
                + "'[SEP]':{'id':'[SEP]','ids':[3],'tokens':['[SEP]']}}}";
        // It asks for a truncation to 3 tokens, which must not be heeded.
        return with(
                "tokenizer.json",
                "{'version':'1.0','truncation':{'direction':'Right','max_length':3,'strategy':'LongestFirst','stride':0},"
                        + "'padding':null,'added_tokens':[],'normalizer':null,'pre_tokenizer':{'type':'WhitespaceSplit'},"
                        + "'post_processor':" + (specialTokens ? template : "null")
                        + ",'decoder':null,'model':{'type':'WordLevel','vocab':{" + vocabulary
                        + "},'unk_token':'[UNK]'}}");
    }

    /** A model with input_ids and attention_mask that gives last_hidden_state. */
    TinyEncoder model(String file) {
        return graph(file, graph -> {
            graph.input("input_ids", ElementType.INT64, "batch", "tokens");
            graph.input("attention_mask", ElementType.INT64, "batch", "tokens");
            lookUp(graph, "last_hidden_state");
            graph.output("last_hidden_state", ElementType.FLOAT, "batch", "tokens", WIDTH);
        });
    }

    /** What a test puts into a graph. */
    @FunctionalInterface
    interface Graph {
        void write(GraphBuilder graph);
    }

    TinyEncoder graph(String file, Graph graph) {
        try {
            Files.createDirectories(folder.resolve(file).getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        GraphBuilder builder = GraphBuilder.create();
        graph.write(builder);
        GraphWriter.write(builder.build(), folder.resolve(file));
        return this;
    }

    /** Adds an operator over values by their names. */
    static Value op(
            GraphBuilder graph, String operator, String output, List<String> inputs, Map<String, ?> attributes) {
        return graph.op(operator, output, inputs.stream().map(graph::value).toList(), attributes);
    }

    /** Adds the look-up of token vectors under the name {@code output}. */
    static Value lookUp(GraphBuilder graph, String output) {
        float[] table = new float[VOCABULARY * WIDTH];
        for (int t = 0; t < VOCABULARY; t++) {
            table[t * WIDTH] = (float) vector(t)[0];
            table[t * WIDTH + 1] = (float) vector(t)[1];
        }
        graph.floats("table", () -> table, VOCABULARY, WIDTH);
        return op(graph, "Gather", output, List.of("table", "input_ids"), Map.of("axis", 0));
    }

    /** Writes {@code model.safetensors} of a module; shapes and values by tensor name, f32. */
    TinyEncoder weights(String module, Map<String, float[][]> tensors) {
        StringJoiner header = new StringJoiner(",", "{", "}");
        ByteBuffer data = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        tensors.forEach((name, rows) -> {
            int from = data.position();
            for (float[] row : rows) {
                for (float value : row) {
                    data.putFloat(value);
                }
            }
            String shape = name.endsWith("bias") || name.startsWith("norm")
                    ? "[" + rows[0].length + "]"
                    : "[" + rows.length + "," + rows[0].length + "]";
            header.add("\"" + name + "\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":[" + from + ","
                    + data.position() + "]}");
        });
        byte[] head = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(Long.BYTES + head.length + data.position())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(head.length)
                .put(head)
                .put(data.flip());
        try {
            Files.createDirectories(folder.resolve(module));
            Files.write(folder.resolve(module).resolve("model.safetensors"), file.array());
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
