package dev.pollux.inference.internal.layer;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.Value;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A mixture of experts (Shazeer et al., arXiv:1701.06538) of one layer: a router assigns each token a weight for every
 * expert, 0 for unused ones, and each expert processes only its own tokens. S is batch · tokens. <em>Confined to
 * one thread.</em>
 */
public final class Experts {

    /** Writes one expert over its tokens, (tokens, hidden) to (tokens, hidden). */
    @FunctionalInterface
    public interface Expert {
        Value write(int expert, String p, Value x);
    }

    private static final double UNSEEN = -1e30;

    private final Blocks b;
    private final String p;
    private final int count;
    private final int chosen;
    private final Value flat;
    private final int width;

    /**
     * @param p before the names of its values
     * @param x (batch, tokens, width); the experts' output is as wide
     * @param chosen the number of experts per token
     */
    public Experts(Blocks b, String p, Value x, int count, int chosen) {
        if (chosen > count) {
            throw new MalformedFileException(b.settings.file() + ": a token cannot have " + chosen + " of " + count
                    + " experts; the configuration is damaged");
        }
        this.b = b;
        this.p = p + "experts.";
        this.count = count;
        this.chosen = chosen;
        this.width = x.shape().isRanked() && x.shape().last().isFixed()
                ? (int) x.shape().last().factor()
                : b.config.hiddenSize();
        this.flat = b.reshaped(x, this.p + "flat", -1, width);
    }

    /** The router's logits, (S, experts), in floats for every weight format. */
    public Value logits(String weight) {
        return logits(flat, weight);
    }

    /** The logits of a router with another input, (S, hidden). */
    public Value logits(Value x, String weight) {
        StackedMatrix matrix = b.matrix(b.config.hiddenSize(), weight).requireRows(count);
        return b.lowering().linear(x, p + "logits", new Linear(matrix, Linear.Role.ROUTER));
    }

    /** The largest values of a row and their indices, each (S, k). */
    private record Top(Value values, Value indices) {}

    /** Weights: the softmax over the logits of the chosen experts only. */
    public Value softmaxOfChosen(Value logits) {
        Top top = top(logits, p + "top", chosen);
        return dense(logits, top.indices(), softmax(top.values(), p + "top.softmax"));
    }

    /** The softmax over all experts, (S, experts). */
    public Value softmax(Value logits) {
        return softmax(logits, p + "softmax");
    }

    /** Weights: the largest values of the softmax over all experts, divided by their sum if {@code normalized}. */
    public Value chosenOfSoftmax(Value logits, boolean normalized) {
        Top top = top(softmax(logits), p + "top", chosen);
        return dense(logits, top.indices(), normalized ? overSum(top.values(), 0) : top.values());
    }

    /**
     * Weights: the values of {@code scores} for the experts with the largest {@code choice}.
     *
     * @param epsilon added to the sum that they are divided by; negative for no division
     */
    public Value chosenBy(Value scores, Value choice, double epsilon, double factor) {
        Top top = top(choice, p + "top", chosen);
        Value weights = b.op("GatherElements", p + "chosen", List.of(scores, top.indices()), Map.of("axis", 1));
        return dense(scores, top.indices(), b.scaled(epsilon < 0 ? weights : overSum(weights, epsilon), factor));
    }

    /**
     * Weights of the two largest logits, each a softmax over those that are relatively close to it (SparseMixer, Liu et al.,
     * arXiv:2310.00811, at inference).
     */
    public Value sparseMixer(Value logits, double jitter) {
        Top top = top(logits, p + "top", 2);
        List<Value> values = b.split(top.values(), List.of(p + "mixer.first", p + "mixer.second"), 1, 1);
        List<Value> indices = b.split(top.indices(), List.of(p + "mixer.first.index", p + "mixer.second.index"), 1, 1);
        Value first = close(logits, values.get(0), logits, p + "mixer.first", jitter);
        Value lowest = b.op(
                "Add",
                p + "mixer.lowest",
                b.op("Sub", p + "mixer.zero", values.get(0), values.get(0)),
                b.constant(UNSEEN));
        Value others =
                b.op("ScatterElements", p + "mixer.others", List.of(logits, indices.get(0), lowest), Map.of("axis", 1));
        Value second = close(logits, values.get(1), others, p + "mixer.second", jitter);
        Value ofFirst =
                b.op("GatherElements", p + "mixer.first.weight", List.of(first, indices.get(0)), Map.of("axis", 1));
        Value ofSecond =
                b.op("GatherElements", p + "mixer.second.weight", List.of(second, indices.get(1)), Map.of("axis", 1));
        Value both = b.op("Concat", p + "mixer.both", List.of(ofFirst, ofSecond), Map.of("axis", 1));
        return dense(logits, top.indices(), both);
    }

    /** The softmax over the {@code candidates} whose logit is within 2 · {@code jitter} of {@code most}, relatively. */
    private Value close(Value logits, Value most, Value candidates, String output, double jitter) {
        Value scale = b.op("Max", output + ".scale", b.op("Abs", output + ".abs", logits), most);
        Value gap = b.op("Div", output + ".gap", b.op("Sub", output + ".below", most, logits), scale);
        Value far = b.op("Greater", output + ".far", gap, b.constant(2 * jitter));
        return softmax(b.op("Where", output + ".close", far, b.constant(UNSEEN), candidates), output + ".softmax");
    }

    /** Adds a stored bias per expert. */
    public Value biased(Value scores, String bias) {
        Value stored = b.graph.floats(p + "bias", b.tensors.vectorLater(bias, count), count);
        return b.op("Add", p + "biased", scores, stored);
    }

    /**
     * Masks all but {@code kept} of {@code groups} groups of experts. A group is ranked by the sum of its {@code best}
     * largest scores.
     */
    public Value bestGroups(Value scores, int groups, int kept, int best) {
        if (groups <= 1 || kept >= groups) {
            return scores;
        }
        if (count % groups != 0) {
            throw new MalformedFileException(
                    b.settings.file() + ": " + count + " experts must be a multiple of " + groups + " groups");
        }
        Value byGroup = b.reshaped(scores, p + "groups", -1, groups, count / groups);
        Top pair = top(byGroup, p + "pair", Math.min(best, count / groups));
        Value last = b.graph.integers(p + "last", -1);
        Value sums = b.op("ReduceSum", p + "group.sums", List.of(pair.values(), last), Map.of("keepdims", 0));
        Top top = top(sums, p + "group.top", kept);
        Value zeros = b.op("Sub", p + "group.zeros", sums, sums);
        Value none = b.op("Sub", p + "group.none", top.values(), top.values());
        Value ones = b.op("Add", p + "group.ones", none, b.constant(1));
        Value mask = b.op("ScatterElements", p + "group.mask", List.of(zeros, top.indices(), ones), Map.of("axis", 1));
        Value out = b.op("Sub", p + "group.out", mask, b.constant(1));
        Value penalty = b.op("Mul", p + "group.penalty", out, b.constant(1e9));
        Value spread = b.op("Unsqueeze", p + "group.spread", penalty, last);
        return b.reshaped(b.op("Add", p + "group.scores", byGroup, spread), p + "of.groups", -1, count);
    }

    /** The weighted sum of the experts' outputs, (batch, tokens, hidden). Experts without tokens are not run if the lowering skips them. */
    public Value write(Value weights, Expert expert) {
        int[] ones = new int[count];
        java.util.Arrays.fill(ones, 1);
        List<Value> each = b.split(weights, names("weights"), ones); // each (S, 1)
        Value most = b.op(
                "ReduceMax",
                p + "most",
                List.of(weights, b.graph.integers(p + "tokens", 0)),
                Map.of("keepdims", 0)); // (experts)
        List<Value> used = b.split(b.op("Greater", p + "used", most, b.constant(0)), names("used"), ones); // each (1)
        Value first = b.graph.integers(p + "first", 0);
        Value sum = b.op("Sub", p + "zero", flat, flat);
        b.lowering().readBy((double) chosen / count);
        for (int e = 0; e < count; e++) {
            String q = p + e + ".";
            Own own = new Own(e, q, each.get(e), first);
            Value before = sum;
            sum = b.lowering().skipsExperts()
                    ? b.graph.choice(
                            q + "sum",
                            used.get(e),
                            () -> added(own, before, expert),
                            () -> b.op("Identity", q + "same", before))
                    : added(own, before, expert);
        }
        b.lowering().readBy(1);
        return b.lowering().byToken(sum, p + "out", width);
    }

    /**
     * The values of one expert.
     *
     * @param q before the names of its values
     * @param weights its weight for each token, (S, 1)
     * @param first the number 0, (1)
     */
    private record Own(int number, String q, Value weights, Value first) {}

    private List<String> names(String part) {
        List<String> names = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            names.add(p + e + "." + part);
        }
        return names;
    }

    /** The sum plus an expert's output for its tokens. */
    private Value added(Own own, Value sum, Expert expert) {
        String q = own.q();
        Value found = b.op("NonZero", q + "found", own.weights()); // (2, tokens)
        Value rows = b.op("Gather", q + "row", List.of(found, own.first()), Map.of("axis", 0)); // (1, tokens)
        Value indices = b.op("Transpose", q + "rows", List.of(rows), Map.of("perm", List.of(1, 0)));
        Value y = expert.write(own.number(), q, b.op("GatherND", q + "x", flat, indices));
        Value weighted = b.op("Mul", q + "weighted", y, b.op("GatherND", q + "own", own.weights(), indices));
        return b.op("ScatterND", q + "more", List.of(sum, indices, weighted), Map.of("reduction", "add"));
    }

    /**
     * A gated expert with matrices under {@code at}. They are stored per expert or, as in transformers 5, as two tensors
     * for all experts: {@code gate_up_proj} (experts, 2 width, hidden) with the gate's rows first, and {@code down_proj}
     * (experts, hidden, width).
     */
    public Value gated(String at, int e, String q, Value x, int width, String activation) {
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
                    + b.tensors.require(stored).shape() + "; the configuration and the weights do not match");
        }
        int size = Math.multiplyExact(rows, columns);
        String name = stored + "." + e + ".weight";
        return b.tensors.define(name, stored, rows, columns, () -> b.tensors.floats(stored, (long) e * size, size));
    }

    private Top top(Value x, String output, int k) {
        Value size = b.graph.integers(output + ".k", k);
        List<Value> both =
                b.ops("TopK", List.of(output + ".values", output + ".indices"), List.of(x, size), Map.of("axis", -1));
        return new Top(both.get(0), both.get(1));
    }

    private Value softmax(Value x, String output) {
        return b.op("Softmax", output, List.of(x), Map.of("axis", -1));
    }

    private Value overSum(Value x, double epsilon) {
        Value axis = b.graph.integers(x.name() + ".axis", -1);
        Value sum = b.op("ReduceSum", x.name() + ".sum", x, axis);
        return b.op(
                "Div",
                x.name() + ".shares",
                x,
                epsilon == 0 ? sum : b.op("Add", x.name() + ".sum.positive", sum, b.constant(epsilon)));
    }

    /** (S, experts), 0 where not chosen. */
    private Value dense(Value like, Value indices, Value values) {
        Value zeros = b.op("Sub", p + "zeros", like, like);
        return b.op("ScatterElements", p + "weights", List.of(zeros, indices, values), Map.of("axis", 1));
    }
}
