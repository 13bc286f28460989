package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;

/** RoBERTa (Liu et al., arXiv:1907.11692) and XLM-R: BERT whose positions begin after that of padding, with another head. */
final class RobertaFamily extends BertFamily {

    RobertaFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
    }

    @Override
    boolean readsTypes() {
        return false;
    }

    /** Its tokenizers give no types, and its table may have one row only. */
    @Override
    Value types() {
        return blocks.integers(0);
    }

    @Override
    Value positions() {
        return tokens.positionsAfter(config.integerOr(1, "pad_token_id"));
    }

    @Override
    Value logits(Value hidden) {
        Value dense = blocks.outside().dense(tokens.first(hidden), width, width, "classifier.dense");
        return labels(blocks.activate(dense, "tanh"), width, "classifier.out_proj");
    }
}
