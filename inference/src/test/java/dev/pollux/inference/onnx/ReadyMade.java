package dev.pollux.inference.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.StateTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/**
 * Graphs as others publish them, made of an export of this module: other inputs, other names, a cache that is concatenated,
 * branches, halves.
 */
public final class ReadyMade {

    public static final int FLOAT = 1;
    static final int INT32 = 6;
    static final int INT64 = 7;
    static final int BOOL = 9;
    public static final int FLOAT16 = 10;

    private static final Set<String> POLLUX = Set.of("seqlens_k", "total_sequence_length", "logits_index");

    private final Path data;
    private final DecoderManifest manifest;
    private final GraphProto.Builder graph;
    private final ModelProto.Builder model;
    private int nodes;

    /** @param export a folder that {@code DecoderExport} wrote */
    public ReadyMade(Path export) throws IOException {
        this.data = export.resolve("model.onnx.data");
        this.manifest = DecoderManifest.read(export);
        this.model = ModelProto.parseFrom(Files.readAllBytes(export.resolve("model.onnx"))).toBuilder();
        this.graph = model.getGraphBuilder();
        masked(INT64);
    }

    private void masked(int type) {
        List<ValueInfoProto> own = graph.getInputList().stream()
                .filter(input -> !POLLUX.contains(input.getName()))
                .toList();
        graph.clearInput().addAllInput(own).addInput(value("attention_mask", type, -1, -1));
        List<NodeProto> rest = List.copyOf(graph.getNodeList());
        graph.clearNode();
        integers("rm.zero", List.of(), 0);
        integers("rm.one", List.of(), 1);
        integers("rm.axis", List.of(1L), 1);
        node("Shape", List.of("attention_mask"), "rm.mask.shape", Map.of());
        node("Gather", List.of("rm.mask.shape", "rm.one"), "rm.total", Map.of());
        node("Cast", List.of("rm.total"), "total_sequence_length", Map.of("to", INT32));
        node("Cast", List.of("attention_mask"), "rm.mask", Map.of("to", INT64));
        node("ReduceSum", List.of("rm.mask", "rm.axis"), "rm.sum", Map.of("keepdims", 0));
        node("Sub", List.of("rm.sum", "rm.axis"), "rm.last", Map.of());
        node("Cast", List.of("rm.last"), "seqlens_k", Map.of("to", INT32));
        node("Shape", List.of("input_ids"), "rm.ids.shape", Map.of());
        node("Gather", List.of("rm.ids.shape", "rm.one"), "rm.tokens", Map.of());
        node("Range", List.of("rm.zero", "rm.tokens", "rm.one"), "logits_index", Map.of());
        graph.addAllNode(rest);
        graph.setOutput(0, value("logits", FLOAT, -1, -1, manifest.vocabularySize()));
    }

    /** Only the last token's logits are given. */
    public ReadyMade lastOnly() {
        replaceRange(() -> {
            node("Sub", List.of("rm.tokens", "rm.one"), "rm.before", Map.of());
            node("Add", List.of("rm.before", "rm.zero"), "rm.from", Map.of());
            node("Range", List.of("rm.from", "rm.tokens", "rm.one"), "logits_index", Map.of());
        });
        graph.setOutput(0, value("logits", FLOAT, -1, 1, manifest.vocabularySize()));
        return this;
    }

    /** An input says how many logits are given. */
    public ReadyMade kept() {
        graph.addInput(value("num_logits_to_keep", INT64));
        replaceRange(() -> {
            node("Sub", List.of("rm.tokens", "num_logits_to_keep"), "rm.before", Map.of());
            node("Add", List.of("rm.before", "rm.zero"), "rm.from", Map.of());
            node("Range", List.of("rm.from", "rm.tokens", "rm.one"), "logits_index", Map.of());
        });
        return this;
    }

    private void replaceRange(Runnable nodes) {
        List<NodeProto> all = List.copyOf(graph.getNodeList());
        graph.clearNode();
        for (NodeProto node : all) {
            if (node.getOutput(0).equals("logits_index")) {
                nodes.run();
            } else {
                graph.addNode(node);
            }
        }
    }

    /** The cache is read and written through a conversion, so that both are tensors of their own. */
    public ReadyMade copied(int type) {
        List<NodeProto> all = List.copyOf(graph.getNodeList());
        graph.clearNode();
        for (StateTensor state : manifest.states()) {
            node("Cast", List.of(state.input()), state.input() + ".own", Map.of("to", FLOAT));
            retype(graph, state.input(), type);
            retype(graph, state.output(), type);
        }
        for (NodeProto node : all) {
            NodeProto.Builder changed = node.toBuilder();
            rename(changed, state -> state.input() + ".own", state -> state.output() + ".own");
            graph.addNode(changed);
        }
        for (StateTensor state : manifest.states()) {
            node("Cast", List.of(state.output() + ".own"), state.output(), Map.of("to", type));
        }
        return this;
    }

    private void rename(
            NodeProto.Builder node, Function<StateTensor, String> to, Function<StateTensor, String> output) {
        for (StateTensor state : manifest.states()) {
            for (int i = 0; i < node.getInputCount(); i++) {
                if (node.getInput(i).equals(state.input())) {
                    node.setInput(i, to.apply(state));
                }
            }
            for (int i = 0; i < node.getOutputCount(); i++) {
                if (node.getOutput(i).equals(state.output())) {
                    node.setOutput(i, output.apply(state));
                }
            }
        }
    }

    /** Logits as 16-bit floats. */
    public ReadyMade halfLogits() {
        for (NodeProto.Builder node : graph.getNodeBuilderList()) {
            for (int i = 0; i < node.getOutputCount(); i++) {
                if (node.getOutput(i).equals("logits")) {
                    node.setOutput(i, "logits.own");
                }
            }
        }
        node("Cast", List.of("logits.own"), "logits", Map.of("to", FLOAT16));
        retype(graph, "logits", FLOAT16);
        return this;
    }

    /** Other names for the states: {@code name} of a layer's number and {@code key} or {@code value}. */
    public ReadyMade named(BinaryOperator<String> past, BinaryOperator<String> present) {
        Map<String, String> names = new LinkedHashMap<>();
        for (StateTensor state : manifest.states()) {
            String[] parts = state.input().split("\\.");
            names.put(state.input(), past.apply(parts[1], parts[2]));
            names.put(state.output(), present.apply(parts[1], parts[2]));
        }
        graph.getInputBuilderList().forEach(v -> v.setName(names.getOrDefault(v.getName(), v.getName())));
        graph.getOutputBuilderList().forEach(v -> v.setName(names.getOrDefault(v.getName(), v.getName())));
        for (NodeProto.Builder node : graph.getNodeBuilderList()) {
            for (int i = 0; i < node.getInputCount(); i++) {
                node.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
            }
            for (int i = 0; i < node.getOutputCount(); i++) {
                node.setOutput(i, names.getOrDefault(node.getOutput(i), node.getOutput(i)));
            }
        }
        return this;
    }

    /** Token ids, mask and positions of 32 bits. */
    public ReadyMade narrowIds() {
        retype(graph, "attention_mask", INT32);
        retype(graph, "input_ids", INT32);
        return this;
    }

    /**
     * Each fused attention as plain operators around {@code Concat}, with {@code position_ids}.
     *
     * @param past whether there is a past to concatenate
     * @param causal whether a token is kept from those after it; graphs traced with one token leave that out
     */
    public ReadyMade plain(boolean past, boolean causal) {
        graph.addInput(value("position_ids", INT64, -1, -1));
        if (!past) {
            List<ValueInfoProto> given = graph.getInputList().stream()
                    .filter(input -> manifest.states().stream()
                            .noneMatch(state -> state.input().equals(input.getName())))
                    .toList();
            graph.clearInput().addAllInput(given);
        }
        integers("rm.two", List.of(1L), 2);
        List<NodeProto> all = List.copyOf(graph.getNodeList());
        graph.clearNode();
        for (NodeProto node : all) {
            if (node.getOpType().equals("GroupQueryAttention")) {
                new Plain(node, past, causal).write();
            } else {
                graph.addNode(node);
            }
        }
        return this;
    }

    /** One attention: softmax(q kᵀ / sqrt(width) + mask) v over packed q, k and v, rotated by position. */
    private final class Plain {

        private final NodeProto fused;
        private final String p;
        private final boolean past;
        private final boolean causal;
        private final int heads;
        private final int narrow;
        private final int width;

        Plain(NodeProto fused, boolean past, boolean causal) {
            this.fused = fused;
            this.p = fused.getOutput(0) + ".rm.";
            this.past = past;
            this.causal = causal;
            this.heads = attribute("num_heads");
            this.narrow = attribute("kv_num_heads");
            this.width = manifest.states().get(0).shape().get(3);
        }

        private int attribute(String name) {
            return (int) fused.getAttributeList().stream()
                    .filter(attribute -> attribute.getName().equals(name))
                    .findFirst()
                    .orElseThrow()
                    .getI();
        }

        void write() {
            integers(p + "sizes", List.of(3L), (long) heads * width, (long) narrow * width, (long) narrow * width);
            multi(
                    "Split",
                    List.of(fused.getInput(0), p + "sizes"),
                    List.of(p + "q", p + "k", p + "v"),
                    Map.of("axis", 2));
            String q = byHead(rotated("q", heads), heads);
            String k = cached(byHead(rotated("k", narrow), narrow), 3, 1);
            String v = cached(byHead(p + "v", narrow), 4, 2);
            node("Transpose", List.of(repeated(k, "keys")), p + "kt", Map.of("perm", List.of(0, 1, 3, 2)));
            node("MatMul", List.of(q, p + "kt"), p + "products", Map.of());
            constant(p + "scale", (float) (1 / Math.sqrt(width)));
            node("Mul", List.of(p + "products", p + "scale"), p + "scores", Map.of());
            node("Softmax", List.of(causal ? masked(k) : p + "scores"), p + "shares", Map.of("axis", -1));
            node("MatMul", List.of(p + "shares", repeated(v, "values")), p + "each", Map.of());
            node("Transpose", List.of(p + "each"), p + "turned", Map.of("perm", List.of(0, 2, 1, 3)));
            integers(p + "flat", List.of(3L), 0, 0, (long) heads * width);
            node("Reshape", List.of(p + "turned", p + "flat"), fused.getOutput(0), Map.of());
        }

        private String rotated(String part, int count) {
            NodeProto.Builder node =
                    begin("RotaryEmbedding", List.of(p + part, "position_ids", fused.getInput(7), fused.getInput(8)));
            node.setDomain(Graph.MICROSOFT).addOutput(p + part + ".rotated");
            node.addAttribute(number("num_heads", count)).addAttribute(number("rotary_embedding_dim", width));
            return p + part + ".rotated";
        }

        private String byHead(String x, int count) {
            integers(x + ".shape", List.of(4L), 0, 0, count, width);
            node("Reshape", List.of(x, x + ".shape"), x + ".split", Map.of());
            node("Transpose", List.of(x + ".split"), x + ".heads", Map.of("perm", List.of(0, 2, 1, 3)));
            return x + ".heads";
        }

        private String cached(String x, int input, int output) {
            String present = fused.getOutput(output);
            if (past) {
                node("Concat", List.of(fused.getInput(input), x), present, Map.of("axis", 2));
            } else {
                node("Identity", List.of(x), present, Map.of());
            }
            return present;
        }

        private String repeated(String x, String name) {
            integers(p + name + ".times", List.of(5L), 1, 1, heads / narrow, 1, 1);
            integers(p + name + ".shape", List.of(4L), 1, heads, -1, width);
            node("Unsqueeze", List.of(x, "rm.two"), p + name + ".one", Map.of());
            node("Expand", List.of(p + name + ".one", p + name + ".times"), p + name + ".many", Map.of());
            node("Reshape", List.of(p + name + ".many", p + name + ".shape"), p + name, Map.of());
            return p + name;
        }

        private String masked(String keys) {
            node("Shape", List.of(keys), p + "shape", Map.of());
            integers(p + "third", List.of(), 2);
            node("Gather", List.of(p + "shape", p + "third"), p + "total", Map.of());
            node("Range", List.of("rm.zero", p + "total", "rm.one"), p + "columns", Map.of());
            node("Unsqueeze", List.of("position_ids", "rm.two"), p + "rows", Map.of());
            node("LessOrEqual", List.of(p + "columns", p + "rows"), p + "seen", Map.of());
            node("Unsqueeze", List.of(p + "seen", "rm.axis"), p + "mask", Map.of());
            constant(p + "never", -1e9f);
            node("Where", List.of(p + "mask", p + "scores", p + "never"), p + "masked", Map.of());
            return p + "masked";
        }
    }

    /** One graph of two, chosen by {@code use_cache_branch}; {@code this} is the branch with a past. */
    public ReadyMade mergedWith(ReadyMade first) {
        List<TensorProto> weights = graph.getInitializerList();
        NodeProto.Builder choice =
                NodeProto.newBuilder().setOpType("If").setName("choice").addInput("use_cache_branch");
        choice.addAttribute(branch("then_branch", graph)).addAttribute(branch("else_branch", first.graph));
        graph.getOutputList().forEach(output -> choice.addOutput(output.getName()));
        Map<String, TensorProto> all = new LinkedHashMap<>();
        weights.forEach(weight -> all.put(weight.getName(), weight));
        first.graph.getInitializerList().forEach(weight -> all.put(weight.getName(), weight));
        graph.addInput(value("use_cache_branch", BOOL, 1));
        graph.clearInitializer().addAllInitializer(all.values());
        graph.clearNode().addNode(choice);
        return this;
    }

    private static AttributeProto branch(String name, GraphProto.Builder from) {
        GraphProto.Builder branch = GraphProto.newBuilder().setName(name);
        Map<String, String> outputs = new LinkedHashMap<>();
        for (ValueInfoProto output : from.getOutputList()) {
            outputs.put(output.getName(), name + "." + output.getName());
            branch.addOutput(output.toBuilder().setName(name + "." + output.getName()));
        }
        for (NodeProto node : from.getNodeList()) {
            NodeProto.Builder renamed = node.toBuilder();
            for (int i = 0; i < node.getOutputCount(); i++) {
                renamed.setOutput(i, outputs.getOrDefault(node.getOutput(i), node.getOutput(i)));
            }
            for (int i = 0; i < node.getInputCount(); i++) {
                renamed.setInput(i, outputs.getOrDefault(node.getInput(i), node.getInput(i)));
            }
            branch.addNode(renamed);
        }
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.GRAPH)
                .setG(branch)
                .build();
    }

    /** The graph, for changes of a test's own. */
    GraphProto.Builder graph() {
        return graph;
    }

    /** Writes the graph, and its weights beside it. */
    public Path save(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Path weights = file.resolveSibling("model.onnx.data");
        if (!Files.exists(weights)) {
            Files.copy(data, weights);
        }
        return Files.write(file, model.build().toByteArray());
    }

    /** A state, and what a graph is made of. */
    static ValueInfoProto value(String name, int type, int... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (int i = 0; i < dims.length; i++) {
            TensorShapeProto.Dimension.Builder dim = shape.addDimBuilder();
            if (dims[i] >= 0) {
                dim.setDimValue(dims[i]);
            } else {
                dim.setDimParam(name + "." + i);
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
                .build();
    }

    static void retype(GraphProto.Builder graph, String name, int type) {
        for (ValueInfoProto.Builder value : graph.getInputBuilderList()) {
            if (value.getName().equals(name)) {
                value.getTypeBuilder().getTensorTypeBuilder().setElemType(type);
            }
        }
        for (ValueInfoProto.Builder value : graph.getOutputBuilderList()) {
            if (value.getName().equals(name)) {
                value.getTypeBuilder().getTensorTypeBuilder().setElemType(type);
            }
        }
    }

    private void integers(String name, List<Long> shape, long... values) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(INT64).addAllDims(shape);
        for (long value : values) {
            tensor.addInt64Data(value);
        }
        graph.addInitializer(tensor);
    }

    private void constant(String name, float value) {
        graph.addInitializer(
                TensorProto.newBuilder().setName(name).setDataType(FLOAT).addFloatData(value));
    }

    private void node(String operator, List<String> inputs, String output, Map<String, ?> attributes) {
        multi(operator, inputs, List.of(output), attributes);
    }

    private void multi(String operator, List<String> inputs, List<String> outputs, Map<String, ?> attributes) {
        NodeProto.Builder node = begin(operator, inputs).addAllOutput(outputs);
        attributes.forEach((name, value) -> node.addAttribute(attribute(name, value)));
    }

    private NodeProto.Builder begin(String operator, List<String> inputs) {
        return graph.addNodeBuilder()
                .setOpType(operator)
                .setName("rm." + nodes++)
                .addAllInput(inputs);
    }

    private static AttributeProto attribute(String name, Object value) {
        if (value instanceof Integer number) {
            return number(name, number);
        }
        AttributeProto.Builder ints =
                AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
        ((List<?>) value).forEach(number -> ints.addInts((Integer) number));
        return ints.build();
    }

    private static AttributeProto number(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }
}
