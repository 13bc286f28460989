package dev.pollux.inference.encoder;

import dev.pollux.embedding.Embedder;
import dev.pollux.testkit.EmbedderContract;

class WindowedEmbedderContractTest implements EmbedderContract {

    @Override
    public Embedder open() {
        return OnnxEmbedder.bundled(
                EmbedderOptions.builder().longText(LongText.WINDOWED).build());
    }

    @Override
    public boolean refusesLongTexts() {
        return false;
    }
}
