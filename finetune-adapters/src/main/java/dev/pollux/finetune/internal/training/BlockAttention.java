package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.finetune.internal.differentiation.Differentiation;
import dev.pollux.finetune.internal.differentiation.Gradients;
import dev.pollux.finetune.internal.training.Programs.Program;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.job.JobContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Causal attention and its gradients, block by block, within documents. <em>Confined to one thread.</em> */
final class BlockAttention implements AutoCloseable {

    /*
     * A block of BLOCK queries of a document is compared with the keys from the document's start (or the first in the window)
     * to the block's own end: half of the products of a square are left out, and the scores in memory are
     * heads · BLOCK · tokens, not heads · tokens². Queries of the heads that share keys are rows of one product:
     *
     *   Q (few, group · n, width)   K, V (few, m, width)   S = scale · Q Kᵀ (few, group · n, m)
     *
     * The gradients of a block are Differentiation of the same graph; those of keys and values are added up over the blocks,
     * always in the same order. FlashAttention (Dao et al., arXiv:2205.14135) without the tiling of keys: the scores of one
     * block fit into memory.
     */

    static final int BLOCK = 256;
    private static final float UNSEEN = -1e30f;

    private final Memory memory;
    private final int heads;
    private final int few;
    private final int width;
    private final int window;
    private final Program forward;
    private final Program backward;
    private final Map<String, String> gradients = new HashMap<>(); // the output by the input
    private final Map<List<Integer>, FloatTensor> masks = new HashMap<>();

    /**
     * Tokens of a document in a row of tokens.
     *
     * @param start the first
     * @param end the one after the last
     */
    record Range(int start, int end) {}

    /**
     * What attention reads, each (1, tokens, its heads · width).
     *
     * @param query normed and rotated
     */
    record Inputs(FloatTensor query, FloatTensor key, FloatTensor value) implements AutoCloseable {
        @Override
        public void close() {
            query.close();
            key.close();
            value.close();
        }
    }

    BlockAttention(Attention described, Programs programs, Memory memory) {
        this.memory = memory;
        this.heads = described.heads();
        this.few = described.keyValueHeads();
        this.width = described.width();
        this.window = described.window();
        Graph graph = graph(described);
        this.forward = programs.of(graph);
        Value seed = new Value("do", ElementType.FLOAT, graph.value("o").shape());
        Gradients found = Differentiation.of(graph, Map.of("o", seed), Set.of("q", "k", "v"), Set.of());
        List<Value> outputs = List.of(found.of("q"), found.of("k"), found.of("v"));
        this.backward = programs.of(GraphCut.between(
                found.graph(),
                List.of(),
                outputs.stream()
                        .map(value -> new Value(value.name(), ElementType.FLOAT, value.shape()))
                        .toList()));
        for (String input : List.of("q", "k", "v")) {
            gradients.put(input, found.of(input).name());
        }
    }

    /** Attentions with equal keys are one. */
    static List<Object> key(Attention a) {
        return List.of(a.heads(), a.keyValueHeads(), a.width(), a.window(), a.scale(), a.softCap());
    }

    private Graph graph(Attention a) {
        GraphBuilder g = GraphBuilder.create();
        int group = heads / few;
        Value q = g.input("q", ElementType.FLOAT, "n", heads * width);
        Value k = g.input("k", ElementType.FLOAT, "m", few * width);
        Value v = g.input("v", ElementType.FLOAT, "m", few * width);
        Value mask = g.input("mask", ElementType.FLOAT, "n", "m");
        Value stacked = g.integers("stacked", few, -1, width);
        Value apart = g.op("Reshape", "q.heads", q, g.integers("q.sizes", -1, few, group, width));
        Value turned = g.op("Transpose", "q.turned", List.of(apart), Map.of("perm", List.of(1, 2, 0, 3)));
        Value queries = g.op("Reshape", "queries", turned, stacked);
        Map<String, ?> product = Map.of("transA", 0, "transB", 1, "alpha", (float) a.scale());
        Value scores = g.fused("FusedMatMul", "scores", List.of(queries, heads(g, k)), product);
        if (a.softCap() > 0) {
            Value within = g.op("Mul", "within", scores, number(g, "uncap", 1 / a.softCap()));
            scores = g.op("Mul", "capped", g.op("Tanh", "bent", within), number(g, "cap", a.softCap()));
        }
        Value count = g.op("Shape", "count", List.of(k), Map.of("start", 0, "end", 1));
        Value open = g.op("Concat", "open", List.of(g.integers("groups", few, group, -1), count), Map.of("axis", 0));
        Value square = g.declared(g.op("Reshape", "square", scores, open), few, group, "n", "m");
        Value shares = g.op("Softmax", "shares", List.of(g.op("Add", "masked", square, mask)), Map.of("axis", -1));
        Value flat = g.op("Concat", "flat", List.of(g.integers("each", few, -1), count), Map.of("axis", 0));
        Value rows =
                g.declared(new Value(g.op("Reshape", "rows", shares, flat).name(), ElementType.FLOAT, scores.shape()));
        Value mixed = g.op("MatMul", "mixed", rows, heads(g, v));
        Value split = g.declared(
                g.op("Reshape", "split", mixed, g.integers("o.sizes", few, group, -1, width)), few, group, "n", width);
        Value back = g.op("Transpose", "back", List.of(split), Map.of("perm", List.of(2, 0, 1, 3)));
        long size = (long) heads * width;
        g.declared(g.op("Reshape", "o", back, g.integers("o.shape", -1, size)), "n", size);
        g.output("o", ElementType.FLOAT, "n", heads * width);
        return g.build();
    }

    private Value heads(GraphBuilder g, Value x) {
        Value apart = g.op("Reshape", x.name() + ".heads", x, g.integers(x.name() + ".sizes", -1, few, width));
        return g.op("Transpose", x.name() + ".turned", List.of(apart), Map.of("perm", List.of(1, 0, 2)));
    }

    private static Value number(GraphBuilder g, String name, double value) {
        return g.floats(name, () -> new float[] {(float) value}, 1);
    }

    /** A block of queries with its keys, both as ranges of tokens. */
    private record Block(int from, int to, int first) {}

    private interface Visitor {
        void accept(Block block);
    }

    private void blocks(List<Range> documents, Visitor visitor) {
        for (Range document : documents) {
            for (int from = document.start; from < document.end; from += BLOCK) {
                int seen = window > 0 ? Math.max(document.start, from - window + 1) : document.start;
                visitor.accept(new Block(from, Math.min(document.end, from + BLOCK), seen));
            }
        }
    }

    /** Whether each query sees each key, as an addend: 0 or a very small number. */
    private FloatTensor mask(Block block) {
        int n = block.to - block.from;
        int m = block.to - block.first;
        int before = block.from - block.first;
        return masks.computeIfAbsent(List.of(n, m, before), key -> {
            float[] values = new float[n * m];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < m; j++) {
                    int distance = before + i - j;
                    boolean seen = distance >= 0 && (window == 0 || distance < window);
                    values[i * m + j] = seen ? 0 : UNSEEN;
                }
            }
            return memory.take(n, m).set(values);
        });
    }

    private Map<String, OnnxTensor> given(Inputs x, Block block) {
        int n = block.to - block.from;
        int m = block.to - block.first;
        Map<String, OnnxTensor> given = new HashMap<>();
        given.put("q", x.query.rows(block.from, n, heads * width));
        given.put("k", x.key.rows(block.first, m, few * width));
        given.put("v", x.value.rows(block.first, m, few * width));
        return given;
    }

    /**
     * Attention within documents.
     *
     * @return (1, tokens, heads · width); the caller closes it
     */
    FloatTensor forward(Inputs x, List<Range> documents, JobContext context) {
        int tokens = x.query.elements() / (heads * width);
        FloatTensor attended = memory.take(1, tokens, (long) heads * width);
        blocks(documents, block -> {
            Map<String, OnnxTensor> own = given(x, block);
            try (OnnxTensor o = attended.rows(block.from, block.to - block.from, heads * width)) {
                Map<String, OnnxTensor> given = new HashMap<>(own);
                given.put("mask", mask(block).tensor());
                forward.run(given, Map.of("o", o), context);
            } finally {
                own.values().forEach(OnnxTensor::close);
            }
        });
        forget();
        return attended;
    }

    /**
     * The gradients of q, k and v.
     *
     * @param attended the gradient of the result
     * @return in the shapes of the inputs; the caller closes it
     */
    Inputs backward(Inputs x, FloatTensor attended, List<Range> documents, JobContext context) {
        int tokens = x.query.elements() / (heads * width);
        long narrow = (long) few * width;
        Inputs sums = new Inputs(
                memory.take(1, tokens, (long) heads * width),
                memory.take(1, tokens, narrow),
                memory.take(1, tokens, narrow));
        sums.key.clear();
        sums.value.clear();
        blocks(documents, block -> backward(x, attended, sums, block, context));
        forget();
        return sums;
    }

    private void backward(Inputs x, FloatTensor attended, Inputs sums, Block block, JobContext context) {
        int n = block.to - block.from;
        int m = block.to - block.first;
        int narrow = few * width;
        Map<String, OnnxTensor> own = given(x, block);
        try (OnnxTensor seed = attended.rows(block.from, n, heads * width);
                OnnxTensor dq = sums.query.rows(block.from, n, heads * width);
                FloatTensor dk = memory.take(m, narrow);
                FloatTensor dv = memory.take(m, narrow)) {
            Map<String, OnnxTensor> given = new HashMap<>(own);
            given.put("mask", mask(block).tensor());
            given.put("do", seed);
            Map<String, OnnxTensor> results = new HashMap<>();
            results.put(gradients.getOrDefault("q", ""), dq);
            results.put(gradients.getOrDefault("k", ""), dk.tensor());
            results.put(gradients.getOrDefault("v", ""), dv.tensor());
            backward.run(given, results, context);
            sums.key.add(block.first * narrow, dk);
            sums.value.add(block.first * narrow, dv);
        } finally {
            own.values().forEach(OnnxTensor::close);
        }
    }

    /** Masks of many sizes are not kept. */
    private void forget() {
        if (masks.size() > 64) {
            close();
        }
    }

    @Override
    public void close() {
        masks.values().forEach(FloatTensor::close);
        masks.clear();
    }
}
