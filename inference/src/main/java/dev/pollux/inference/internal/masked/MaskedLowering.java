package dev.pollux.inference.internal.masked;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Head;
import dev.pollux.inference.internal.layer.Linear;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Lowering;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Lowers an architecture to a stateless graph over whole texts, in batches with padding on either side: masked attention,
 * recurrences from an empty state, matrices as floats or in 8 bits. <em>Confined to one thread.</em>
 */
public class MaskedLowering implements Lowering {

    private final Blocks b;
    private final GraphBuilder graph;
    private final Operators operators;
    private final Tokens tokens;
    private final boolean rounds;
    private final MaskedWeights weights;
    private final MaskedLayers layers;

    /**
     * @param rounds whether matrices are rounded to 8 bits, except those of routers
     * @param prefix the prefix of the base model's tensors in the checkpoint
     */
    public MaskedLowering(Blocks b, Operators operators, boolean rounds, String prefix) {
        this.b = b;
        this.graph = b.graph;
        this.operators = operators;
        this.tokens = new Tokens(operators);
        this.rounds = rounds;
        this.weights = new MaskedWeights(graph, b.tensors, prefix);
        this.layers = new MaskedLayers(b, operators);
    }

    @Override
    public String name(String kind, String hint) {
        return operators.fresh(kind.toLowerCase(Locale.ROOT));
    }

    @Override
    public Value constant(String kind, String key, Function<String, Value> make) {
        return make.apply(operators.fresh(kind));
    }

    @Override
    public long[] tokenShape(long... rest) {
        long[] shape = new long[rest.length + 2]; // 0 leaves batch and tokens
        System.arraycopy(rest, 0, shape, 2, rest.length);
        return shape;
    }

    @Override
    public Value byToken(Value flat, String output, int width) {
        Value outer = operators.op("Shape", Map.of(), Operators.IDS);
        Value shape = operators.op("Concat", Map.of("axis", 0), outer, operators.integers(width));
        return graph.declared(operators.op("Reshape", Map.of(), flat, shape), "batch", "tokens", width);
    }

    // Matrices

    @Override
    public Value embed(String output, StackedMatrix table) {
        return operators.op("Gather", Map.of("axis", 0), weights.table(table), Operators.IDS);
    }

    @Override
    public Value linear(Value x, String output, Linear linear) {
        StackedMatrix matrix = linear.matrix();
        Value product;
        if (rounds && linear.role() != Linear.Role.ROUTER) {
            List<Value> rounded = weights.rounded(matrix);
            product = operators.microsoft("DynamicQuantizeMatMul", Map.of(), x, rounded.get(0), rounded.get(1));
        } else {
            product = operators.op("MatMul", Map.of(), x, weights.transposed(matrix));
        }
        Optional<Value> bias = weights.bias(matrix);
        return bias.isEmpty() ? product : operators.add(product, bias.get());
    }

    /** A matrix as a factor of products, (columns, rows). */
    protected final Value factor(StackedMatrix matrix) {
        return weights.transposed(matrix);
    }

    @Override
    public void readBy(double share) {
        // what a token costs is not counted
    }

    @Override
    public Value logits(Value normed, Head head) {
        Value turned = operators.op(
                "Transpose", Map.of("perm", List.of(1, 0)), weights.table(head.matrix())); // a tied head is the table
        Value raw = b.scaled(operators.op("MatMul", Map.of(), normed, turned), head.factor());
        if (head.cap() == 0) {
            return raw;
        }
        Value within = operators.op("Tanh", Map.of(), operators.multiply(raw, operators.number(1 / head.cap())));
        return operators.multiply(within, operators.number(head.cap()));
    }

    // Norms

    @Override
    public Value normWeight(Norm norm, String output, String weight, int width) {
        Supplier<float[]> values = b.normWeight(norm, weight, width);
        return weight.isEmpty() ? weights.floats("ones." + width, values, width) : weights.norm(weight, values, width);
    }

    @Override
    public List<Value> normOfSum(Value x, Value y, Norm norm, String output, String weight, String sum) {
        return List.of();
    }

    // Positions

    @Override
    public Value byPosition(String name, Supplier<float[]> table, int rows, int width) {
        Value stored = weights.floats(name + ".table", table, rows, width);
        return operators.op("Gather", Map.of("axis", 0), stored, tokens.positions());
    }

    @Override
    public void declare(Rotary rotary) {
        // tables are made where they are used first
    }

    @Override
    public Value rotate(Value x, int heads, Rotary rotary) {
        return layers.rotate(x, heads, rotary);
    }

    // Attention

    @Override
    public Value attend(Attention attention, Value queryKeyValue) {
        int own = attention.heads() * attention.width();
        int few = attention.keyValueHeads() * attention.width();
        List<Value> parts = operators.split(queryKeyValue, own, few, few);
        return attend(attention, parts.get(0), parts.get(1), parts.get(2));
    }

    @Override
    public Value attend(Attention attention, Value query, Value key, Value value) {
        Value q = layers.query(attention, query);
        return layers.attend(attention, q, layers.key(attention, key), value);
    }

    @Override
    public Value attendPrepared(Attention attention, Value query, Value key, Value value) {
        return layers.attend(attention, layers.query(attention, query), key, value);
    }

    @Override
    public Value key(Attention attention, Value key) {
        return layers.key(attention, key);
    }

    // Recurrences

    @Override
    public Value convolution(Recurrence recurrence, List<Value> inputs, int channels, int kernel, String activation) {
        Value mask = operators.cast(
                operators.op("Unsqueeze", Map.of(), Operators.MASK, operators.integers(1)), ElementType.FLOAT);
        List<Value> all = new ArrayList<>(inputs);
        all.set(0, operators.multiply(inputs.get(0), mask)); // padding before a text is as nothing
        if (all.get(2).isNone()) {
            all.remove(2);
        }
        String name = operators.fresh("causalconvwithstate");
        return b.fused("CausalConvWithState", all, List.of(name, name + ".state"), Map.of("activation", activation))
                .get(0);
    }

    @Override
    public Value linearAttention(Recurrence recurrence, LinearAttention described) {
        List<Value> inputs = new ArrayList<>(
                List.of(described.q(), described.k(), tokens.masked(described.v()), Value.NONE, described.decay()));
        if (!described.beta().isNone()) {
            inputs.add(described.beta());
        }
        String name = operators.fresh("linearattention");
        Map<String, Object> attributes = Map.of(
                "q_num_heads",
                described.heads(),
                "kv_num_heads",
                described.heads(),
                "update_rule",
                described.beta().isNone() ? "gated" : "gated_delta",
                "scale",
                (float) described.scale());
        return b.fused("LinearAttention", inputs, List.of(name, name + ".state"), attributes)
                .get(0);
    }
}
