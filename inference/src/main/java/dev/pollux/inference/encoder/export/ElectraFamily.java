package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;

/** ELECTRA (Clark et al., arXiv:2003.10555): BERT whose embeddings may be narrower, with another head. */
final class ElectraFamily extends BertFamily {

    ElectraFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
    }

    @Override
    int embeddingWidth() {
        return config.integerOr(width, "embedding_size");
    }

    @Override
    Value embed() {
        Value x = super.embed();
        return embeddingWidth() == width ? x : blocks.dense(x, embeddingWidth(), width, "embeddings_project");
    }

    @Override
    Value logits(Value hidden) {
        Value dense = blocks.outside().dense(tokens.first(hidden), width, width, "classifier.dense");
        return labels(blocks.activate(dense, "gelu"), width, "classifier.out_proj");
    }
}
