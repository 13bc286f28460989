package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.MaskedAttention;
import dev.pollux.inference.internal.masked.Operators;
import java.util.List;
import java.util.Map;

/**
 * DeBERTa v2 and v3 (He et al., arXiv:2006.03654, arXiv:2111.09543): scores are the sum of content to content, content to
 * position and position to content, where positions are vectors of distances in logarithmic buckets.
 */
final class DebertaFamily extends Family {

    private final int width;
    private final int inner;
    private final int heads;
    private final int headWidth;
    private final double epsilon;
    private final boolean contentToPosition;
    private final boolean positionToContent;
    private final MaskedAttention attention;
    private Value places = Value.NONE; // (2 · span, width), vectors of distances

    DebertaFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
        this.width = config.integer("hidden_size");
        this.inner = config.integer("intermediate_size");
        this.heads = config.integer("num_attention_heads");
        int given = config.integerOr(0, "attention_head_size");
        this.headWidth = given > 0 ? given : config.headWidth(width, heads);
        this.epsilon = config.positive(1e-7, "layer_norm_eps");
        this.contentToPosition = config.texts("pos_att_type").contains("c2p");
        this.positionToContent = config.texts("pos_att_type").contains("p2c");
        this.attention = new MaskedAttention(blocks, heads, headWidth);
    }

    @Override
    boolean readsTypes() {
        return config.integerOr(0, "type_vocab_size") > 0;
    }

    @Override
    int layers() {
        return config.integer("num_hidden_layers");
    }

    @Override
    Value embed() {
        int size = config.integerOr(width, "embedding_size");
        Value x = blocks.lookUp(Operators.IDS, "embeddings.word_embeddings", config.integer("vocab_size"), size);
        if (config.flag(true, "position_biased_input")) {
            int count = config.integer("max_position_embeddings");
            x = blocks.add(x, blocks.lookUp(tokens.positions(), "embeddings.position_embeddings", count, size));
        }
        if (readsTypes()) {
            int types = config.integer("type_vocab_size");
            x = blocks.add(x, blocks.lookUp(Operators.TYPES, "embeddings.token_type_embeddings", types, size));
        }
        if (size != width) {
            x = blocks.linear(x, size, width, false, "embeddings.embed_proj");
        }
        if (config.flag(false, "relative_attention")) {
            places = blocks.table("encoder.rel_embeddings.weight", 2 * span(), width);
            if (config.texts("norm_rel_ebd").contains("layer_norm")) {
                places = blocks.layerNorm(places, "encoder.LayerNorm", width, epsilon);
            }
        }
        return tokens.masked(blocks.layerNorm(x, "embeddings.LayerNorm", width, epsilon));
    }

    /** The farthest distance, before it falls into a bucket. */
    private int farthest() {
        int given = config.integerOr(-1, "max_relative_positions");
        return given < 1 ? config.integer("max_position_embeddings") : given;
    }

    /** Distances −span … span − 1 have vectors. */
    private int span() {
        int buckets = config.integerOr(-1, "position_buckets");
        return buckets > 0 ? buckets : farthest();
    }

    @Override
    Value layer(int layer, Value input) {
        String at = "encoder.layer." + layer + ".";
        Value attended = blocks.dense(
                attend(at + "attention.self.", input), heads * headWidth, width, at + "attention.output.dense");
        Value x = blocks.layerNorm(blocks.add(input, attended), at + "attention.output.LayerNorm", width, epsilon);
        String function = config.text("gelu", "hidden_act");
        Value written = blocks.mlp(x, width, inner, function, at + "intermediate.dense", at + "output.dense");
        x = blocks.layerNorm(blocks.add(x, written), at + "output.LayerNorm", width, epsilon);
        return layer == 0 && config.integerOr(0, "conv_kernel_size") > 0 ? convolved(input, x) : x;
    }

    private Value attend(String self, Value x) {
        int all = heads * headWidth;
        List<Value> qkv = blocks.split(
                blocks.dense(x, width, all, self + "query_proj", self + "key_proj", self + "value_proj"),
                all,
                all,
                all);
        int parts = 1 + (contentToPosition ? 1 : 0) + (positionToContent ? 1 : 0);
        double scale = 1 / Math.sqrt((double) headWidth * parts);
        if (places.isNone() || parts == 1) {
            return attention.attend(qkv, scale, Value.NONE);
        }
        boolean shared = config.flag(false, "share_att_key");
        Value sum = Value.NONE;
        if (contentToPosition) {
            Value keys = projected(self + (shared ? "key_proj" : "pos_key_proj"));
            sum = gathered(qkv.get(0), keys, "content to position", 1);
        }
        if (positionToContent) {
            Value queries = projected(self + (shared ? "query_proj" : "pos_query_proj"));
            Value byKey = gathered(qkv.get(1), queries, "position to content", -1);
            Value byQuery = blocks.op("Transpose", Map.of("perm", List.of(0, 1, 3, 2)), byKey);
            sum = sum.isNone() ? byQuery : blocks.add(sum, byQuery);
        }
        return attention.attend(qkv, scale, blocks.multiply(sum, blocks.number(scale)));
    }

    /** The vectors of distances through a layer's own matrix: (heads, headWidth, 2 · span). */
    private Value projected(String stored) {
        Value flat = blocks.dense(places, width, heads * headWidth, stored);
        Value apart = blocks.reshape(flat, 2L * span(), heads, headWidth);
        return blocks.op("Transpose", Map.of("perm", List.of(1, 2, 0)), apart);
    }

    /**
     * The product of each token with the vector of its distance to each other: (batch, heads, tokens, tokens).
     *
     * @param sign which side of {@code bucket(row − column)} is meant
     */
    private Value gathered(Value content, Value vectors, String name, int sign) {
        Value products = blocks.op("MatMul", Map.of(), attention.apart(content, heads), vectors);
        Value index = attention.byDistance(name, indices(sign));
        Value batch = blocks.op("Shape", Map.of("end", 1), Operators.IDS);
        Value shape = blocks.op("Concat", Map.of("axis", 0), batch, blocks.integers(heads, 1, 1));
        Value each = blocks.op("Expand", Map.of(), index, shape);
        blocks.graph().declared(each, "batch", heads, "tokens", "tokens");
        return blocks.op(
                "GatherElements", Map.of("axis", 3), products, blocks.graph().value(each.name()));
    }

    /** Which row of the vectors belongs to each distance; beyond those listed the outermost hold. */
    private long[] indices(int sign) {
        int span = span();
        int reach = Math.min(1 << 17, Math.max(span, farthest()));
        long[] indices = new long[2 * reach + 1]; // (distances −reach … reach)
        for (int distance = -reach; distance <= reach; distance++) {
            long index = sign * bucket(distance) + span;
            indices[distance + reach] = Math.max(0, Math.min(2L * span - 1, index));
        }
        return indices;
    }

    /** Near distances stand for themselves; beyond half of the buckets they grow logarithmically. */
    private long bucket(int distance) {
        int middle = config.integerOr(-1, "position_buckets") / 2;
        if (middle < 1 || Math.abs(distance) <= middle) {
            return distance;
        }
        // In single precision, as in the reference, so that a bucket ends at the same distance.
        float reach = (float) Math.log((float) ((farthest() - 1) / (double) middle));
        float ratio = (float) Math.log(Math.abs(distance) / (float) middle) / reach;
        double bucket = Math.ceil(ratio * (middle - 1)) + middle;
        return (long) (bucket * Integer.signum(distance));
    }

    /** A convolution over the embeddings, added to what leaves the first layer. */
    private Value convolved(Value input, Value output) {
        int size = config.integer("conv_kernel_size");
        int groups = Math.max(1, config.integerOr(1, "conv_groups"));
        List<Value> kernel = blocks.kernel("encoder.conv.conv", width, width / groups, size);
        Map<String, ?> attributes = Map.of("group", groups, "pads", List.of((size - 1) / 2, (size - 1) / 2));
        List<Integer> swap = List.of(0, 2, 1);
        Value columns = blocks.op("Transpose", Map.of("perm", swap), input);
        Value convolved = blocks.op("Conv", attributes, columns, kernel.get(0), kernel.get(1));
        Value rows = tokens.masked(blocks.op("Transpose", Map.of("perm", swap), convolved));
        Value active = blocks.activate(rows, config.text("tanh", "conv_act"));
        return tokens.masked(blocks.layerNorm(blocks.add(output, active), "encoder.conv.LayerNorm", width, epsilon));
    }

    @Override
    Value logits(Value hidden) {
        int pooled = config.integerOr(width, "pooler_hidden_size");
        Value dense = blocks.outside().dense(tokens.first(hidden), pooled, pooled, "pooler.dense");
        return labels(blocks.activate(dense, config.text("gelu", "pooler_hidden_act")), pooled, "classifier");
    }
}
