package dev.pollux.inference.internal.architecture;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.stream.IntStream;

/** CodeGen (Nijkamp et al., arXiv:2203.13474): GPT-J with q, v and k of each of four shards stored as one. */
final class CodeGen extends GptJ {

    private static final int SHARDS = 4;

    CodeGen(Blocks b) {
        super(b);
    }

    @Override
    Value project(Attention attention, Value normed, String at) {
        int hidden = config.hiddenSize();
        int width = hidden / SHARDS;
        if (config.heads() % SHARDS != 0) {
            throw new MalformedFileException(
                    settings.file() + ": n_head must be a multiple of " + SHARDS + " but was " + config.heads());
        }
        IntStream q = StoredOrder.rows(SHARDS, 3 * width, 0, width);
        IntStream k = StoredOrder.rows(SHARDS, 3 * width, 2 * width, width);
        IntStream v = StoredOrder.rows(SHARDS, 3 * width, width, width);
        int[] order = IntStream.concat(q, IntStream.concat(k, v)).toArray();
        return attention.project(normed, b.matrix(hidden, StoredOrder.of(b, at + "qkv_proj", hidden, order)));
    }
}
