package dev.pollux.finetune.internal.training;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Head;
import dev.pollux.inference.internal.layer.Linear;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.inference.internal.masked.MaskedLowering;
import dev.pollux.inference.internal.masked.Operators;
import dev.pollux.tensor.StackedMatrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Lowers an architecture for training: tokens of one or more documents in a row, (1, tokens, …), with the changes of
 * {@link Trainables}. <em>Confined to one thread.</em>
 */
final class TrainingLowering extends MaskedLowering {

    /*
     * Differences to the lowering for embedding models:
     *
     *   matrices    are stored as in the checkpoint, (rows, columns). The forward product transposes in the kernel, and the
     *               gradient with respect to x needs the same matrix without a transpose.
     *   attention   is not in the graph. q, k and v leave it, and the result comes back as an input; BlockAttention computes
     *               it document by document. So documents in one row do not see each other, and no scores of all tokens
     *               with all tokens are in memory.
     *   positions   are an input, and start anew with each document.
     *   norms of DoRA are computed in the graph and detached, as in the paper (Liu et al., arXiv:2402.09353, section 4.3).
     */

    private static final String BIAS = ".bias";
    private static final int PIECE = 1 << 16;

    private final Blocks b;
    private final GraphBuilder graph;
    private final Operators operators;
    private final Trainables trainables;
    private final List<AttentionCall> calls = new ArrayList<>();
    private final List<StackedMatrix> products = new ArrayList<>();
    private final Map<String, Value> made = new HashMap<>();
    private final Map<String, TrainedInput> trained = new LinkedHashMap<>();
    private final List<String> detached = new ArrayList<>();
    private final Map<String, Integer> masks = new LinkedHashMap<>(); // by input, the columns
    private final TokenPositions positions;
    private Value rows = Value.NONE;
    private Optional<StackedMatrix> table = Optional.empty();

    /**
     * An attention that is computed outside the graph.
     *
     * @param node the number of nodes before it
     * @param query (1, tokens, heads · width), normed and rotated
     * @param key (1, tokens, key and value heads · width)
     * @param value as {@code key}
     * @param attended its result, an input of the graph
     */
    record AttentionCall(int node, Attention attention, Value query, Value key, Value value, Value attended) {}

    TrainingLowering(Blocks b, Operators operators, Trainables trainables) {
        super(b, operators, false, "");
        this.b = b;
        this.graph = b.graph;
        this.operators = operators;
        this.trainables = trainables;
        this.positions = new TokenPositions(graph, operators, b.contextLength);
    }

    List<AttentionCall> calls() {
        return calls;
    }

    /** The matrices of the products so far, in order, without the head. */
    List<StackedMatrix> products() {
        return products;
    }

    /** The inputs made of parameters, by name. */
    Map<String, TrainedInput> trained() {
        return trained;
    }

    List<String> detached() {
        return detached;
    }

    /** The inputs of dropout, (tokens, columns), with their columns. */
    Map<String, Integer> masks() {
        return masks;
    }

    double dropout() {
        return trainables.dropout();
    }

    /** The inputs of positions with the length up to which each uses its first set of frequencies; 0 for one set. */
    Map<String, Integer> positions() {
        return positions.lengths();
    }

    /** The rows of the embedding, an input of the graph. */
    Value rows() {
        return rows;
    }

    StackedMatrix table() {
        return table.orElseThrow();
    }

    private Value once(String key, Supplier<Value> make) {
        Value known = made.get(key);
        if (known == null) {
            known = make.get();
            made.put(key, known);
        }
        return known;
    }

    private Value input(TrainedInput input) {
        return once("input " + input.name(), () -> {
            trained.put(input.name(), input);
            return graph.input(input.value());
        });
    }

    // Shapes

    @Override
    public Value byToken(Value flat, String output, int width) {
        return operators.reshape(flat, 1, -1, width);
    }

    @Override
    public boolean skipsExperts() {
        return false;
    }

    // Matrices

    @Override
    public Value embed(String output, StackedMatrix matrix) {
        Value found = graph.input(operators.fresh("rows"), ElementType.FLOAT, 1, "tokens", matrix.columns());
        if (rows.isNone()) {
            rows = found;
            table = Optional.of(matrix);
        }
        return found;
    }

    @Override
    public Value linear(Value x, String output, Linear linear) {
        StackedMatrix matrix = linear.matrix();
        products.add(matrix);
        return multiplied(x, matrix);
    }

    private Value multiplied(Value x, StackedMatrix matrix) {
        Optional<StackedAdapter> adapter = trainables.of(matrix);
        boolean whole = matrix.names().size() > 1
                && matrix.names().stream()
                        .anyMatch(name -> trainables.whole(name).isPresent());
        if (whole || adapter.isPresent() && !adapter.get().isOneProduct()) {
            Value[] parts = matrix.names().stream()
                    .map(name -> multiplied(x, StackedMatrix.of(matrix.tensors(), List.of(name), matrix.columns())))
                    .toArray(Value[]::new);
            return operators.op("Concat", Map.of("axis", -1), parts);
        }
        boolean flat = x.shape().rank() == 2;
        Value y = product(flat ? x : operators.reshape(x, -1, matrix.columns()), matrix, adapter);
        if (flat) {
            return y;
        }
        long[] sizes = new long[x.shape().rank()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = i == 1 ? -1 : x.shape().size(i);
        }
        sizes[sizes.length - 1] = matrix.rows();
        return operators.reshape(y, sizes);
    }

    /** x Wᵀ with its change and bias, of (tokens, columns). */
    private Value product(Value x, StackedMatrix matrix, Optional<StackedAdapter> adapter) {
        Value weight = weight(matrix);
        Value y = transposed(x, weight);
        if (adapter.isPresent()) {
            StackedAdapter own = adapter.get();
            Value a = input(own.a());
            Value b = input(own.b());
            y = operators.op("Gemm", Map.of("transB", 1), transposed(dropped(x, matrix), a), b, y);
            if (own.hasMagnitude()) {
                y = operators.multiply(y, lengths(weight, a, b, input(own.magnitude())));
            }
            if (own.hasBias()) {
                y = operators.add(y, input(own.bias()));
            }
        }
        Optional<Value> bias = bias(matrix);
        return bias.isEmpty() ? y : operators.add(y, bias.get());
    }

    /** x times 0 or 1 / (1 − p), as an input of the graph says, so that it can be computed again. */
    private Value dropped(Value x, StackedMatrix matrix) {
        if (trainables.dropout() == 0) {
            return x;
        }
        if (!x.shape().dim(0).equals(Shape.Dim.named("tokens"))) {
            throw new UnsupportedModelException(b.settings.file() + ": dropout must be 0 for experts, which "
                    + name(matrix) + " belongs to; set it to 0, or exclude them");
        }
        String input = "dropout " + name(matrix);
        masks.put(input, matrix.columns());
        return operators.multiply(
                x, once(input, () -> graph.input(input, ElementType.FLOAT, "tokens", matrix.columns())));
    }

    private Value transposed(Value x, Value matrix) {
        return operators.op("Gemm", Map.of("transB", 1), x, matrix);
    }

    /** m / ‖W + B·A‖ for each row. */
    private Value lengths(Value weight, Value a, Value b, Value magnitude) {
        Value changed = operators.op("Gemm", Map.of(), b, a, weight);
        Value squares = operators.multiply(changed, changed);
        Value sums = operators.op("ReduceSum", Map.of("keepdims", 0), squares, operators.integers(1));
        Value norms = operators.op("Sqrt", Map.of(), sums);
        detached.add(norms.name());
        return operators.op("Div", Map.of(), magnitude, norms);
    }

    private static String name(StackedMatrix matrix) {
        return String.join("+", matrix.names());
    }

    private Value weight(StackedMatrix matrix) {
        Optional<TrainedInput> whole =
                matrix.names().size() == 1 ? trainables.whole(matrix.names().get(0)) : Optional.empty();
        return whole.map(this::input)
                .orElseGet(() -> once(
                        name(matrix),
                        () -> graph.weight(new Weight(
                                name(matrix),
                                ElementType.FLOAT,
                                Shape.of(matrix.rows(), matrix.columns()),
                                source(matrix)))));
    }

    /** The values in pieces, so that a matrix does not need its size once more. */
    private static WeightSource source(StackedMatrix matrix) {
        return sink -> {
            int step = Math.max(1, PIECE / matrix.columns());
            float[] some = new float[step * matrix.columns()];
            ByteBuffer bytes = ByteBuffer.allocate(some.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int row = 0; row < matrix.rows(); row += step) {
                int count = Math.min(step, matrix.rows() - row);
                matrix.rows(row, count, some);
                bytes.asFloatBuffer().put(some, 0, count * matrix.columns());
                sink.accept(bytes.duplicate().limit(count * matrix.columns() * Float.BYTES));
            }
        };
    }

    private Optional<Value> bias(StackedMatrix matrix) {
        List<String> biases = matrix.names().stream()
                .map(tensor -> tensor.replace(".weight", BIAS))
                .toList();
        if (biases.stream().noneMatch(b.tensors::has)) {
            return Optional.empty();
        }
        Supplier<float[]> stored = () -> stacked(biases, matrix.rowsOfParts());
        biases.stream().filter(b.tensors::has).forEach(b.tensors::info); // so that they count as read
        String key = name(matrix) + BIAS;
        return Optional.of(trainables
                .bias(key, biases, matrix.rowsOfParts(), stored)
                .map(this::input)
                .orElseGet(() -> once(key, () -> graph.floats(key, stored, matrix.rows()))));
    }

    private float[] stacked(List<String> biases, List<Integer> counts) {
        float[] bias = new float[counts.stream().mapToInt(Integer::intValue).sum()];
        int at = 0;
        for (int i = 0; i < biases.size(); i++) {
            if (b.tensors.has(biases.get(i))) {
                float[] part = b.tensors.floats(biases.get(i));
                System.arraycopy(part, 0, bias, at, part.length);
            }
            at += counts.get(i);
        }
        return bias;
    }

    @Override
    public Value logits(Value normed, Head described) {
        int width = described.matrix().columns();
        Value product = transposed(operators.reshape(normed, -1, width), weight(described.matrix()));
        Value raw =
                b.scaled(operators.reshape(product, 1, -1, described.matrix().rows()), described.factor());
        if (described.cap() == 0) {
            return raw;
        }
        Value within = operators.op("Tanh", Map.of(), operators.multiply(raw, operators.number(1 / described.cap())));
        return operators.multiply(within, operators.number(described.cap()));
    }

    /** The scores of tokens by a trained head, (tokens, 1). */
    Value scores(Value normed) {
        TrainedInput score = trainables.whole(Trainables.SCORE).orElseThrow();
        return transposed(operators.reshape(normed, -1, score.shape().get(1)), input(score));
    }

    // Positions

    @Override
    public Value byPosition(String name, Supplier<float[]> values, int count, int width) {
        return positions.rows(name, values, count, width);
    }

    @Override
    public Value rotate(Value x, int heads, Rotary rotary) {
        return positions.rotated(x, heads, rotary);
    }

    // Attention

    @Override
    public Value attend(Attention attention, Value query, Value key, Value value) {
        return attended(attention, query(attention, query), key(attention, key), value);
    }

    @Override
    public Value attendPrepared(Attention attention, Value query, Value key, Value value) {
        return attended(attention, query(attention, query), key, value);
    }

    private Value query(Attention a, Value q) {
        Value normed = a.normed(q, false);
        Value rotated =
                a.rotary().map(rotary -> rotate(normed, a.heads(), rotary)).orElse(normed);
        return a.queryFactors().isNone() ? rotated : operators.multiply(rotated, a.queryFactors());
    }

    @Override
    public Value key(Attention a, Value k) {
        Value normed = a.normed(k, true);
        return a.rotary()
                .map(rotary -> rotate(normed, a.keyValueHeads(), rotary))
                .orElse(normed);
    }

    private Value attended(Attention a, Value query, Value key, Value value) {
        if (!a.sinks().isEmpty()) {
            throw new UnsupportedModelException(
                    b.settings.file() + ": attention with sinks cannot be trained; train a model of another family");
        }
        Value result = graph.input(operators.fresh("attended"), ElementType.FLOAT, 1, "tokens", a.heads() * a.width());
        calls.add(new AttentionCall(graph.nodeCount(), a, query, key, value, result));
        return result;
    }

    // Recurrences

    @Override
    public Value convolution(Recurrence recurrence, List<Value> inputs, int channels, int kernel, String activation) {
        throw recurrent();
    }

    @Override
    public Value linearAttention(Recurrence recurrence, LinearAttention described) {
        throw recurrent();
    }

    private UnsupportedModelException recurrent() {
        return new UnsupportedModelException(Objects.requireNonNull(b.settings.file())
                + ": recurrent layers and convolutions cannot be trained; train a model with attention in all layers");
    }
}
