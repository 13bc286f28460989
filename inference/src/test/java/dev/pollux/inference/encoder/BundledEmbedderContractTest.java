package dev.pollux.inference.encoder;

import dev.pollux.embedding.Embedder;
import dev.pollux.testkit.EmbedderContract;

class BundledEmbedderContractTest implements EmbedderContract {

    @Override
    public Embedder open() {
        return OnnxEmbedder.bundled();
    }
}
