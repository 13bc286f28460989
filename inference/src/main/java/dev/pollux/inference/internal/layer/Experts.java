package dev.pollux.inference.internal.layer;

import dev.pollux.MalformedFileException;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A mixture of experts (Shazeer et al., arXiv:1701.06538) of one layer: a router gives each token a weight for every expert,
 * 0 for those it does not use, and each expert reads only its own tokens. <em>Confined to one thread.</em>
 */
public final class Experts {

    /** Writes one expert over its tokens, (tokens, hidden) to (tokens, hidden). */
    @FunctionalInterface
    public interface Expert {
        String write(int expert, String p, String x);
    }

    private final Blocks b;
    private final String p;
    private final int count;
    private final int chosen;
    private final String flat;

    /**
     * @param p before the names of its values
     * @param x (1, S, hidden)
     * @param chosen how many experts a token has
     */
    public Experts(Blocks b, String p, String x, int count, int chosen) {
        if (chosen > count) {
            throw new MalformedFileException(b.settings.file() + ": a token cannot have " + chosen + " of " + count
                    + " experts; the configuration is damaged");
        }
        this.b = b;
        this.p = p + "experts.";
        this.count = count;
        this.chosen = chosen;
        this.flat = b.reshaped(x, this.p + "flat", -1, b.config.hiddenSize());
    }

    /** The router's logits, (S, experts), in floats whatever the export's weights are. */
    public String logits(String weight) {
        return logits(flat, weight);
    }

    /** The same of a router that reads something else, (S, hidden). */
    public String logits(String x, String weight) {
        return b.weights.projectFloat(
                x, p + "logits", b.matrix(b.config.hiddenSize(), weight).requireRows(count));
    }

    /** Weights: a softmax over the logits of the chosen only. */
    public String softmaxOfChosen(String logits) {
        top(logits, p + "top", chosen);
        return dense(logits, p + "top.indices", softmax(p + "top.values", p + "top.softmax"));
    }

    /** The softmax over all experts, (S, experts). */
    public String softmax(String logits) {
        return softmax(logits, p + "softmax");
    }

    /** Weights: the largest of a softmax over all, divided by their sum where {@code normalized}. */
    public String chosenOfSoftmax(String logits, boolean normalized) {
        String all = softmax(logits);
        top(all, p + "top", chosen);
        String weights = normalized ? overSum(p + "top.values", 0) : p + "top.values";
        return dense(logits, p + "top.indices", weights);
    }

    /**
     * Weights: of {@code scores} those that are largest in {@code choice}.
     *
     * @param epsilon added to the sum that they are divided by; below 0 where they are not divided
     */
    public String chosenBy(String scores, String choice, double epsilon, double factor) {
        top(choice, p + "top", chosen);
        String weights =
                b.graph.op("GatherElements", p + "chosen", List.of(scores, p + "top.indices"), Map.of("axis", 1));
        return dense(scores, p + "top.indices", b.scaled(epsilon < 0 ? weights : overSum(weights, epsilon), factor));
    }

    /** Adds a stored number for each expert. */
    public String biased(String scores, String bias) {
        String name = b.graph.floats(p + "bias", b.tensors.vector(bias, count), count);
        return b.op("Add", p + "biased", scores, name);
    }

    /** Pushes down all experts but those of the {@code kept} of {@code groups} whose {@code best} best sum to most. */
    public String bestGroups(String scores, int groups, int kept, int best) {
        if (groups <= 1 || kept >= groups) {
            return scores;
        }
        if (count % groups != 0) {
            throw new MalformedFileException(
                    b.settings.file() + ": " + count + " experts must be a multiple of " + groups + " groups");
        }
        String byGroup = b.reshaped(scores, p + "groups", -1, groups, count / groups);
        top(byGroup, p + "pair", Math.min(best, count / groups));
        String sums = b.graph.op(
                "ReduceSum",
                p + "group.sums",
                List.of(p + "pair.values", b.graph.integers(p + "last", -1)),
                Map.of("keepdims", 0));
        top(sums, p + "group.top", kept);
        String zeros = b.op("Sub", p + "group.zeros", sums, sums);
        String ones = b.op(
                "Add",
                p + "group.ones",
                b.op("Sub", p + "group.none", p + "group.top.values", p + "group.top.values"),
                b.constant(1));
        String mask = b.graph.op(
                "ScatterElements", p + "group.mask", List.of(zeros, p + "group.top.indices", ones), Map.of("axis", 1));
        String penalty =
                b.op("Mul", p + "group.penalty", b.op("Sub", p + "group.out", mask, b.constant(1)), b.constant(1e9));
        String spread = b.op("Unsqueeze", p + "group.spread", penalty, p + "last");
        return b.reshaped(b.op("Add", p + "group.scores", byGroup, spread), p + "of.groups", -1, count);
    }

    /** The sum of the experts' outputs by their weights, (1, S, hidden); experts that no token has are not run. */
    public String write(String weights, Expert expert) {
        int[] ones = new int[count];
        java.util.Arrays.fill(ones, 1);
        b.split(weights, names("weights"), ones); // each (S, 1)
        String most = b.graph.op(
                "ReduceMax",
                p + "most",
                List.of(weights, b.graph.integers(p + "tokens", 0)),
                Map.of("keepdims", 0)); // (experts)
        b.split(b.op("Greater", p + "used", most, b.constant(0)), names("used"), ones); // each (1)
        String first = b.graph.integers(p + "first", 0);
        String sum = b.op("Sub", p + "zero", flat, flat);
        b.weights.readBy((double) chosen / count);
        for (int e = 0; e < count; e++) {
            String q = p + e + ".";
            int number = e;
            String before = sum;
            sum = b.graph.choice(
                    q + "sum",
                    q + "used",
                    () -> added(number, q, first, before, expert),
                    () -> b.op("Identity", q + "same", before));
        }
        b.weights.readBy(1);
        return b.reshaped(sum, p + "out", 1, -1, b.config.hiddenSize());
    }

    private List<String> names(String part) {
        List<String> names = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            names.add(p + e + "." + part);
        }
        return names;
    }

    /** The sum with what an expert adds for its tokens. */
    private String added(int number, String q, String first, String sum, Expert expert) {
        String found = b.op("NonZero", q + "found", q + "weights"); // (2, tokens)
        String rows = b.graph.op("Gather", q + "row", List.of(found, first), Map.of("axis", 0)); // (1, tokens)
        String indices = b.graph.op("Transpose", q + "rows", List.of(rows), Map.of("perm", List.of(1, 0)));
        String y = expert.write(number, q, b.op("GatherND", q + "x", flat, indices));
        String weighted = b.op("Mul", q + "weighted", y, b.op("GatherND", q + "own", q + "weights", indices));
        return b.graph.op("ScatterND", q + "more", List.of(sum, indices, weighted), Map.of("reduction", "add"));
    }

    /**
     * A gated expert whose matrices stand under {@code at}, each expert by itself or all of them as two tensors, {@code
     * gate_up_proj} (experts, 2 width, hidden) with the gate's rows first, and {@code down_proj} (experts, hidden, width), as
     * transformers 5 holds them.
     */
    public String gated(String at, int e, String q, String x, int width, String activation) {
        int hidden = b.config.hiddenSize();
        String own = at + e + ".";
        if (b.tensors.has(own + "gate_up_proj.weight")) { // as GGUF files may have it
            StackedMatrix both = b.matrix(hidden, own + "gate_up_proj.weight");
            return b.gated(q, x, both, own + "down_proj.weight", width, activation);
        }
        if (!b.tensors.has(at + "gate_up_proj")) {
            return b.gatedMlp(q, x, own, width, activation);
        }
        StackedMatrix gateUp = b.matrix(hidden, slice(at + "gate_up_proj", e, 2 * width, hidden));
        return b.gated(q, x, gateUp, slice(at + "down_proj", e, hidden, width), width, activation);
    }

    private String slice(String stored, int e, int rows, int columns) {
        if (!b.tensors.require(stored).shape().equals(List.of((long) count, (long) rows, (long) columns))) {
            throw new MalformedFileException(stored + " must be [" + count + ", " + rows + ", " + columns + "] but is "
                    + b.tensors.require(stored).shape() + "; the configuration and the weights do not fit together");
        }
        int size = Math.multiplyExact(rows, columns);
        String name = stored + "." + e + ".weight";
        return b.tensors.define(name, stored, rows, columns, () -> b.tensors.floats(stored, (long) e * size, size));
    }

    private void top(String x, String output, int k) {
        String size = b.graph.integers(output + ".k", k);
        b.graph.node(
                "TopK", "", List.of(x, size), List.of(output + ".values", output + ".indices"), Map.of("axis", -1));
    }

    private String softmax(String x, String output) {
        return b.graph.op("Softmax", output, List.of(x), Map.of("axis", -1));
    }

    private String overSum(String x, double epsilon) {
        String axis = b.graph.integers(x + ".axis", -1);
        String sum = b.op("ReduceSum", x + ".sum", x, axis);
        return b.op(
                "Div",
                x + ".shares",
                x,
                epsilon == 0 ? sum : b.op("Add", x + ".sum.positive", sum, b.constant(epsilon)));
    }

    /** (S, experts), 0 where not chosen. */
    private String dense(String like, String indices, String values) {
        String zeros = b.op("Sub", p + "zeros", like, like);
        return b.graph.op("ScatterElements", p + "weights", List.of(zeros, indices, values), Map.of("axis", 1));
    }
}
