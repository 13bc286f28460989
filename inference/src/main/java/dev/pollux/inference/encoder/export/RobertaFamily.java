package dev.pollux.inference.encoder.export;

/** RoBERTa (Liu et al., arXiv:1907.11692) and XLM-R: BERT whose positions begin after that of padding, with another head. */
final class RobertaFamily extends BertFamily {

    RobertaFamily(Blocks blocks, ConfigReader config) {
        super(blocks, config);
    }

    @Override
    boolean readsTypes() {
        return false;
    }

    /** Its tokenizers give no types, and its table may have one row only. */
    @Override
    String types() {
        return blocks.integers(0);
    }

    @Override
    String positions() {
        return tokens.positionsAfter(config.integerOr(1, "pad_token_id"));
    }

    @Override
    String logits(String hidden) {
        String dense = blocks.outside().dense(tokens.first(hidden), width, width, "classifier.dense");
        return labels(blocks.activate(dense, "tanh"), width, "classifier.out_proj");
    }
}
