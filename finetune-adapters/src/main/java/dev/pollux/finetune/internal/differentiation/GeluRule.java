package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.Map;

/**
 * GELU (Hendrycks and Gimpel, arXiv:1606.08415).
 *
 * <pre>
 * exact  y = x Φ(x):                        dx = dy · (Φ(x) + x φ(x)),  φ(x) = e^(−x²/2) / √(2π)
 * tanh   y = x (1 + t) / 2,  t = tanh(u),   dx = dy · ((1 + t) / 2 + x (1 − t²) u′ / 2)
 *        u = √(2/π) (x + 0.044715 x³),      u′ = √(2/π) (1 + 3 · 0.044715 x²)
 * </pre>
 */
final class GeluRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        boolean exact = !n.node().text("approximate", "none").equals("tanh");
        n.gradient(0, () -> n.graph().multiply(n.dy(), exact ? exact(n.graph(), n.in(0)) : tanh(n.graph(), n.in(0))));
    }

    private static Value exact(BackwardGraph g, Value x) {
        Value erf = g.op("Erf", Map.of(), g.multiply(x, g.number(Math.sqrt(0.5))));
        Value normal = g.multiply(g.add(erf, g.number(1)), g.number(0.5));
        Value bell = g.op("Exp", Map.of(), g.multiply(g.multiply(x, x), g.number(-0.5)));
        return g.add(normal, g.multiply(g.multiply(x, bell), g.number(1 / Math.sqrt(2 * Math.PI))));
    }

    private static Value tanh(BackwardGraph g, Value x) {
        double root = Math.sqrt(2 / Math.PI);
        Value square = g.multiply(x, x);
        Value u = g.multiply(x, g.add(g.multiply(square, g.number(root * 0.044715)), g.number(root)));
        Value t = g.op("Tanh", Map.of(), u);
        Value slope = g.add(g.multiply(square, g.number(root * 3 * 0.044715 / 2)), g.number(root / 2));
        Value bend = g.multiply(g.subtract(g.number(1), g.multiply(t, t)), g.multiply(x, slope));
        return g.add(g.multiply(g.add(t, g.number(1)), g.number(0.5)), bend);
    }
}
