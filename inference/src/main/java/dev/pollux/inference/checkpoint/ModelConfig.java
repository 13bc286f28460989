package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * The shape of a decoder-only model. <em>Immutable.</em>
 *
 * @param architecture the name of the Hugging Face class, such as {@code LlamaForCausalLM}
 * @param name the display name
 * @param hiddenSize width of the residual stream
 * @param layers number of blocks
 * @param heads number of query heads; 0 for a model without attention, or one that does not specify it
 * @param keyValueHeads number of key and value heads; divides {@code heads}
 * @param headDim width of a head
 * @param intermediateSize width of the MLP; 0 if the family derives it
 * @param vocabularySize rows of the embedding
 * @param contextLength maximum number of positions
 * @param normEpsilon epsilon of the RMS norms
 * @param rotaryTheta rotary base
 * @param rotaryScaling rotary scaling
 * @param tiedEmbedding whether the head is the embedding
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
        boolean tiedEmbedding) {

    /** The same shape for another architecture; an embedding model, for example, is its decoder without the head. */
    public ModelConfig withArchitecture(String newArchitecture) {
        return new ModelConfig(
                newArchitecture,
                name,
                hiddenSize,
                layers,
                heads,
                keyValueHeads,
                headDim,
                intermediateSize,
                vocabularySize,
                contextLength,
                normEpsilon,
                rotaryTheta,
                rotaryScaling,
                tiedEmbedding);
    }

    /** The same shape with another number of rows of the embedding, such as that of an adapter with more tokens. */
    public ModelConfig withVocabularySize(int newVocabularySize) {
        return new ModelConfig(
                architecture,
                name,
                hiddenSize,
                layers,
                heads,
                keyValueHeads,
                headDim,
                intermediateSize,
                newVocabularySize,
                contextLength,
                normEpsilon,
                rotaryTheta,
                rotaryScaling,
                tiedEmbedding);
    }

    /** The default width of a head, for files that do not specify it. */
    static int headDim(Path file, int hidden, int heads) {
        if (heads < 1 || hidden % heads != 0) {
            throw new MalformedFileException(file + ": the width " + hidden + " must be a multiple of the " + heads
                    + " heads where no head width is given");
        }
        return hidden / heads;
    }

    /** The elements of {@code ids} that are valid token ids of the model. */
    List<Integer> known(List<Integer> ids) {
        return ids.stream().filter(id -> id < vocabularySize).toList();
    }

    /** Checks that the numbers are consistent and returns this. */
    ModelConfig check(Path file) {
        boolean attends = heads > 0;
        if (attends && (keyValueHeads < 1 || heads % keyValueHeads != 0 || headDim < 2 || headDim % 2 != 0)) {
            throw new MalformedFileException(file + ": " + heads + " heads must be a multiple of " + keyValueHeads
                    + " key/value heads, and the head width " + headDim + " even");
        }
        if (hiddenSize < 1 || layers < 1 || intermediateSize < 0 || vocabularySize < 1 || contextLength < 1) {
            throw new MalformedFileException(file + ": width " + hiddenSize + ", layers " + layers + ", inner width "
                    + intermediateSize + ", vocabulary " + vocabularySize + " and context " + contextLength
                    + " must be at least 1");
        }
        if (!(normEpsilon > 0 && normEpsilon < 1)) {
            throw new MalformedFileException(file + ": the norm's epsilon must be in (0, 1) but was " + normEpsilon);
        }
        if (!(rotaryTheta > 1 && rotaryTheta < Double.POSITIVE_INFINITY)) {
            throw new MalformedFileException(file + ": the rotary base must be above 1 but was " + rotaryTheta);
        }
        return this;
    }
}
