package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Value;
import java.util.List;
import java.util.Map;

/**
 * Attention of heads side by side, with a mask of keys and a bias of scores.
 *
 * <pre>
 * S = scale · Q Kᵀ + bias + mask,  P = softmax(S),  O = P V
 * dV = Pᵀ dO,  dP = dO Vᵀ,  dS = P ∘ (dP − Σ dP ∘ P),  dQ = scale · dS K,  dK = scale · dSᵀ Q,  dbias = dS
 * </pre>
 *
 * <p>The shares P are computed again: the kernel does not return them.
 */
final class MultiHeadAttentionRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        requireKnown(n);
        BackwardGraph g = n.graph();
        int heads = (int) n.node().integer("num_heads", 1);
        long width = n.known(n.in(0), 2) / heads;
        float scale = n.node().number("scale", (float) (1 / Math.sqrt((double) width)));
        Value q = apart(n, n.in(0), heads);
        Value k = apart(n, n.in(1), heads);
        Value v = apart(n, n.in(2), heads);
        Value dy = apart(n, n.dy(), heads);
        Value shares = shares(n, g.product(q, false, k, true, scale));
        n.gradient(2, () -> together(n, g.product(shares, true, dy, false, 1), n.in(2)));
        Value weighted = g.multiply(shares, g.product(dy, false, v, true, 1));
        Value ds = g.subtract(weighted, g.multiply(shares, g.sum(weighted, true, -1)));
        n.gradient(0, () -> together(n, g.product(ds, false, k, false, scale), n.in(0)));
        n.gradient(1, () -> together(n, g.product(ds, true, q, false, scale), n.in(1)));
        n.gradient(5, () -> ds);
    }

    private static void requireKnown(BackwardNode n) {
        for (int input : List.of(3, 6, 7)) {
            if (!n.in(input).isNone()) {
                throw n.refused("it has the input " + input + ", a bias or a state of earlier tokens");
            }
        }
        if (n.in(0).shape().rank() != 3) {
            throw n.refused("its queries are not (batch, tokens, width)");
        }
    }

    private static Value shares(BackwardNode n, Value scores) {
        BackwardGraph g = n.graph();
        Value sum = n.in(5).isNone() ? scores : g.add(scores, n.in(5));
        if (!n.in(4).isNone()) {
            float unseen = n.node().number("mask_filter_value", -10000);
            Value hidden = g.subtract(g.number(1), g.cast(n.in(4), ElementType.FLOAT)); // (batch, keys)
            Value addend = g.op("Unsqueeze", Map.of(), g.multiply(hidden, g.number(unseen)), g.integers(1, 2));
            sum = g.add(sum, addend);
        }
        return g.shaped(g.op("Softmax", Map.of("axis", -1), sum), scores);
    }

    /** (batch, tokens, heads · width) as (batch, heads, tokens, width). */
    private static Value apart(BackwardNode n, Value x, int heads) {
        Value split = n.graph().reshaped(x, List.of(0L, 0L, (long) heads, n.known(x, 2) / heads));
        return n.graph().op("Transpose", Map.of("perm", List.of(0, 2, 1, 3)), split);
    }

    private static Value together(BackwardNode n, Value x, Value like) {
        Value turned = n.graph().op("Transpose", Map.of("perm", List.of(0, 2, 1, 3)), x);
        return n.graph().shaped(n.graph().reshaped(turned, List.of(0L, 0L, n.known(like, 2))), like);
    }
}
