package dev.pollux.inference.checkpoint;

import java.util.List;

/**
 * The shape of a decoder-only model. <em>Immutable.</em>
 *
 * @param architecture the class name in Hugging Face terms, such as {@code LlamaForCausalLM}
 * @param name a name to show
 * @param hiddenSize width of the residual stream
 * @param layers number of blocks
 * @param heads query heads
 * @param keyValueHeads key and value heads; divides {@code heads}
 * @param headDim width of a head
 * @param intermediateSize width of the gated MLP
 * @param vocabularySize rows of the embedding
 * @param contextLength positions the model was made for
 * @param normEpsilon epsilon of the RMS norms
 * @param rotaryTheta rotary base
 * @param rotaryScaling rotary scaling
 * @param tiedEmbedding whether the head is the embedding
 * @param endTokens ids that end a text
 */
public record ModelConfig(
        String architecture,
        String name,
        int hiddenSize,
        int layers,
        int heads,
        int keyValueHeads,
        int headDim,
        int intermediateSize,
        int vocabularySize,
        int contextLength,
        double normEpsilon,
        double rotaryTheta,
        RotaryScaling rotaryScaling,
        boolean tiedEmbedding,
        List<Integer> endTokens) {

    public ModelConfig {
        endTokens = List.copyOf(endTokens);
    }
}
