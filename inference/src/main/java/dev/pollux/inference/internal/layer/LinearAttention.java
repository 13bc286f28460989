package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;

/**
 * Linear attention with a decay: S ← exp(decay) S + k vᵀ, out = Sᵀ q · scale, for each head; with {@code beta} the gated delta
 * rule, S ← exp(decay) S, S ← S + k (beta (v − Sᵀ k))ᵀ (Yang et al., arXiv:2412.06464).
 *
 * @param q (batch, tokens, heads · keyWidth), as k is
 * @param v (batch, tokens, heads · valueWidth)
 * @param decay natural logarithms, (batch, tokens, heads) or (batch, tokens, heads · keyWidth)
 * @param beta (batch, tokens, heads), or {@link Value#NONE}
 */
public record LinearAttention(
        Value q, Value k, Value v, Value decay, Value beta, int heads, int keyWidth, int valueWidth, double scale) {}
