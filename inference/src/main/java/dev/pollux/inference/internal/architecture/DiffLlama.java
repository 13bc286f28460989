package dev.pollux.inference.internal.architecture;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;
import java.util.Map;

/**
 * DiffLlama: differential attention (Ye et al., arXiv:2410.05258), which subtracts the attention of the second half of heads
 * from that of the first; each key has a pair of values.
 */
final class DiffLlama extends Transformer {

    DiffLlama(Blocks b) {
        super(b);
        if (config.keyValueHeads() % 2 != 0) {
            throw new MalformedFileException(
                    settings.file() + ": num_key_value_heads must be even but was " + config.keyValueHeads());
        }
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        int heads = config.heads();
        int few = config.keyValueHeads();
        int width = config.headDim();
        Attention attention = new Attention(b, layer, p);
        List<Value> qkv = b.split(
                attention.project(normed, at),
                List.of(p + "q", p + "k", p + "v"),
                heads * width,
                few * width,
                few * width);
        Value q = doubled(b.lowering().rotate(qkv.get(0), heads, rotary()), heads, width);
        Value k = doubled(b.lowering().rotate(qkv.get(1), few, rotary()), few, width);
        attention.heads(heads, few, 2 * width).scale(1 / Math.sqrt(width));
        Value attended = attention.attend(q, k, pairs(p, qkv.get(2), few, width));
        int half = heads * width;
        List<Value> halves = b.split(attended, List.of(p + "attended.1", p + "attended.2"), half, half);
        double start = 0.8 - 0.6 * Math.exp(-0.3 * layer);
        Value less = b.op("Mul", p + "attended.less", halves.get(1), b.constant(lambda(at, width) + start));
        Value difference = b.op("Sub", p + "difference", halves.get(0), less);
        Value byHead = b.perToken(difference, p + "difference.heads", heads / 2, 2L * width);
        Value even = b.norm(norm(), byHead, p + "difference.normed", "", 2 * width);
        Value out = b.perToken(b.scaled(even, 1 - start), p + "difference.flat", half);
        return b.project(out, p + "o", at + "o_proj.weight", config.hiddenSize(), half);
    }

    private double lambda(String at, int width) {
        return Math.exp(product(at + "lambda_q1", at + "lambda_k1", width))
                - Math.exp(product(at + "lambda_q2", at + "lambda_k2", width));
    }

    private double product(String first, String second, int width) {
        float[] x = b.tensors.vector(first, width);
        float[] y = b.tensors.vector(second, width);
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += (double) x[i] * y[i];
        }
        return sum;
    }

    /** Each head followed by zeros of the same width. */
    private Value doubled(Value x, int count, int width) {
        Value byHead = b.perToken(x, x.name() + ".heads", count, width);
        Value wide = b.op(
                "Pad",
                x.name() + ".wide.heads",
                byHead,
                b.graph.integers(x.name() + ".pads", 0, 0, 0, 0, 0, 0, 0, width));
        return b.perToken(wide, x.name() + ".wide", 2L * count * width);
    }

    /** The values of head g and of head g + half side by side, for each g of the first half, and these once more. */
    private Value pairs(String p, Value v, int count, int width) {
        int half = count / 2;
        List<Value> halves = b.split(v, List.of(p + "v.1", p + "v.2"), half * width, half * width);
        Value pair = b.op(
                "Concat",
                p + "v.pairs",
                List.of(
                        b.perToken(halves.get(0), p + "v.1.heads", half, width),
                        b.perToken(halves.get(1), p + "v.2.heads", half, width)),
                Map.of("axis", -1));
        Value flat = b.perToken(pair, p + "v.flat", 2L * half * width);
        return b.op("Concat", p + "v.twice", List.of(flat, flat), Map.of("axis", -1));
    }
}
