package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import java.util.List;
import java.util.Map;

/**
 * MPNet (Song et al., arXiv:2004.09297): BERT with positions as RoBERTa counts them and one table of biases by distance,
 * which all layers add to their scores.
 */
final class MpnetFamily extends BertFamily {

    /** Its code holds these, whatever the configuration says. */
    private static final int PAD = 1;

    private static final int BUCKETS = 32;
    private static final int FARTHEST = 128;

    private final int heads;
    private Value bias = Value.NONE;

    MpnetFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
        this.heads = config.integer("num_attention_heads");
    }

    @Override
    boolean readsTypes() {
        return false;
    }

    @Override
    Value types() {
        return Value.NONE;
    }

    @Override
    Value positions() {
        return tokens.positionsAfter(PAD);
    }

    @Override
    Value embed() {
        Value buckets = attention.byDistance("buckets", buckets());
        int rows = config.integerOr(BUCKETS, "relative_attention_num_buckets");
        Value values = blocks.lookUp(buckets, "encoder.relative_attention_bias", rows, heads); // (S, S, heads)
        Value first = blocks.op("Transpose", Map.of("perm", List.of(2, 0, 1)), values);
        bias = blocks.op("Unsqueeze", Map.of(), first, blocks.integers(0));
        return super.embed();
    }

    /** Half of the buckets for keys on either side: near ones a distance each, then logarithmically up to 128. */
    private static long[] buckets() {
        int half = BUCKETS / 2;
        int exact = half / 2;
        long[] buckets = new long[2 * FARTHEST + 1]; // (distances −128 … 128 of a query behind a key)
        for (int distance = -FARTHEST; distance <= FARTHEST; distance++) {
            int away = Math.abs(distance);
            // In single precision, as in the reference, so that a bucket ends at the same distance.
            float ratio = (float) Math.log(away / (float) exact) / (float) Math.log(FARTHEST / (double) exact);
            long bucket = away < exact ? away : Math.min(half - 1, exact + (int) (ratio * (half - exact)));
            buckets[distance + FARTHEST] = bucket + (distance < 0 ? half : 0);
        }
        return buckets;
    }

    @Override
    Value layer(int layer, Value x) {
        String at = "encoder.layer." + layer + ".";
        String self = at + "attention.attn.";
        List<Value> qkv =
                blocks.split(blocks.dense(x, width, width, self + "q", self + "k", self + "v"), width, width, width);
        Value attended = blocks.dense(attention.attend(qkv, bias), width, width, self + "o");
        x = blocks.layerNorm(blocks.add(x, attended), at + "attention.LayerNorm", width, epsilon);
        Value written = blocks.mlp(x, width, inner, activation, at + "intermediate.dense", at + "output.dense");
        return blocks.layerNorm(blocks.add(x, written), at + "output.LayerNorm", width, epsilon);
    }

    @Override
    Value logits(Value hidden) {
        Value dense = blocks.outside().dense(tokens.first(hidden), width, width, "classifier.dense");
        return labels(blocks.activate(dense, "tanh"), width, "classifier.out_proj");
    }
}
