package dev.pollux.finetune.internal.training;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.Operators;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What is computed from the logits of the tokens that are predicted, or from the scores of texts. <em>Immutable.</em> */
final class HeadGraph {

    /*
     * Every objective depends on the model by log p(yₜ) of single tokens alone. With gₜ = dL/dlog p(yₜ), found in Java,
     *
     *   dL/dzₜ = gₜ (onehot(yₜ) − softmax(zₜ))
     *
     * so one graph serves all objectives: it takes wₜ = −gₜ and gives softmax(zₜ)·wₜ with wₜ subtracted at yₜ. An objective that
     * depends on scores r of texts takes r in place of log p, and dL/dr = −w. With a
     * teacher, there is a second seed: dL/dD of the divergence D of each token, times dD/dz, is added.
     */

    static final String LABELS = "labels";
    static final String WEIGHTS = "token weights";
    static final String TEACHER = "teacher logits";
    static final String DIVERGENCE_WEIGHTS = "divergence weights";

    private final Value rows;
    private final Value gradient;
    private final List<Value> measures;
    private final AtOnce atOnce;

    /**
     * What is computed in one pass if the seeds are known before it.
     *
     * @param gradient the same as {@link HeadGraph#gradient()}, from what the measures compute as well
     * @param measures those that such objectives read: log p, entropy and whether the label has the largest logit
     */
    record AtOnce(Value gradient, List<Value> measures) {}

    private HeadGraph(Value rows, Value gradient, List<Value> measures, AtOnce atOnce) {
        this.rows = rows;
        this.gradient = gradient;
        this.measures = List.copyOf(measures);
        this.atOnce = atOnce;
    }

    /** Scores, (tokens, 1), are their own measure. */
    static HeadGraph ofScores(GraphBuilder g, Value scores) {
        Value weights = g.input(WEIGHTS, ElementType.FLOAT, "tokens", 1);
        Value gradient = g.op("Neg", "head.gradient", weights);
        return new HeadGraph(scores, gradient, List.of(scores), new AtOnce(gradient, List.of(scores)));
    }

    /** The same head, which also compares with the logits of a teacher. */
    HeadGraph withTeacher(Operators operators, TeacherLoss loss) {
        GraphBuilder g = operators.graph();
        Value teacher = g.input(TEACHER, ElementType.FLOAT, "tokens", columns());
        Value weights = g.input(DIVERGENCE_WEIGHTS, ElementType.FLOAT, "tokens", 1);
        TeacherGraph compared = TeacherGraph.of(operators, rows, teacher, loss);
        List<Value> all = new ArrayList<>(measures);
        all.add(compared.divergences());
        Value sum = operators.add(gradient, operators.multiply(compared.gradient(), weights));
        return new HeadGraph(rows, sum, all, new AtOnce(sum, all));
    }

    /** @param logits (1, tokens, vocabulary) */
    static HeadGraph ofLogits(GraphBuilder g, Value logits) {
        int vocabulary = Math.toIntExact(logits.shape().size(2));
        Value labels = g.input(LABELS, ElementType.INT64, "tokens", 1);
        Value weights = g.input(WEIGHTS, ElementType.FLOAT, "tokens", 1);
        Value last = g.integers("head.last", -1);
        Value rows = g.op("Reshape", "head.rows", logits, g.integers("head.shape", -1, vocabulary));
        Value all = g.op("LogSoftmax", "head.log", List.of(rows), Map.of("axis", -1));
        Value logProbabilities = g.op("GatherElements", "head.chosen", List.of(all, labels), Map.of("axis", 1));
        Value shares = g.op("Exp", "head.exp", all);
        Value sum = g.op(
                "ReduceSum",
                "head.sum",
                List.of(g.op("Mul", "head.product", shares, all), last),
                Map.of("keepdims", 1));
        Value entropies = g.op("Neg", "head.entropy", sum);
        Value means = g.op("ReduceMean", "head.mean", List.of(rows, last), Map.of("keepdims", 1));
        Value squares = g.op("Mul", "head.squares", shares, shares);
        Value collisions = g.op("ReduceSum", "head.collision", List.of(squares, last), Map.of("keepdims", 1));
        Value index = g.op("ArgMax", "head.best", List.of(rows), Map.of("axis", 1, "keepdims", 1));
        Value same = g.op("Equal", "head.same", index, labels);
        Value best = g.op("Cast", "head.hit", List.of(same), Map.of("to", ElementType.FLOAT.code()));
        Value softmax = g.op("Softmax", "head.softmax", List.of(rows), Map.of("axis", -1));
        Value weighted = g.op("Mul", "head.weighted", softmax, weights);
        Value negative = g.op("Neg", "head.negative", weights);
        Value gradient = scattered(g, "head.gradient", weighted, labels, negative);
        Value again = g.op("Mul", "head.shared", shares, weights);
        AtOnce atOnce = new AtOnce(
                scattered(g, "head.gradient.shared", again, labels, negative),
                List.of(logProbabilities, entropies, best));
        return new HeadGraph(rows, gradient, List.of(logProbabilities, entropies, means, best, collisions), atOnce);
    }

    private static Value scattered(GraphBuilder g, String name, Value weighted, Value labels, Value negative) {
        return g.op(
                "ScatterElements", name, List.of(weighted, labels, negative), Map.of("axis", 1, "reduction", "add"));
    }

    AtOnce atOnce() {
        return atOnce;
    }

    /** The logits, (tokens, vocabulary), or the scores, (tokens, 1). */
    Value rows() {
        return rows;
    }

    /** The vocabulary, or 1 for scores. */
    int columns() {
        return Math.toIntExact(rows.shape().size(1));
    }

    /** dL/dlogits, (tokens, vocabulary), or dL/dscores, (tokens, 1). */
    Value gradient() {
        return gradient;
    }

    /**
     * log p of each label, entropy, mean logit, whether the label has the largest logit, Σ p² and, with a teacher, the divergence, each
     * (tokens, 1); of scores, only these.
     */
    List<Value> measures() {
        return measures;
    }
}
