package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

/** What the training of an encoder minimizes. <em>Immutable.</em> */
public sealed interface EncoderObjective {

    /** The contrastive loss with a scale of 20, the default of sentence-transformers. */
    static EncoderObjective contrastive() {
        return new Contrastive(20);
    }

    /** Binary cross-entropy with equal weights. */
    static EncoderObjective binaryCrossEntropy() {
        return new BinaryCrossEntropy(1);
    }

    /** Its name: {@code embedder} or {@code reranker}. */
    String name();

    /** Whether the model gives a score of a query with a document, not a vector of a text. */
    boolean scores();

    /**
     * For embedders: each query is to be more similar to its positive than to the other documents of its batch (van den Oord et
     * al., arXiv:1807.03748; Henderson et al., arXiv:1705.00652):
     *
     * <pre>L = −mean log softmax(scale · cos(qᵢ, dⱼ)) at j = i</pre>
     *
     * <p>over the positives and negatives of all rows of a batch. A document that is a positive of the same query in another row,
     * or has the same text, is left out. A larger batch has more negatives; accumulation adds none.
     *
     * @param scale of cosines, above 0
     */
    record Contrastive(double scale) implements EncoderObjective {
        public Contrastive {
            require(scale > 0 && Double.isFinite(scale), "scale", "above 0 and finite", scale);
        }

        @Override
        public String name() {
            return "embedder";
        }

        @Override
        public boolean scores() {
            return false;
        }
    }

    /**
     * For rerankers: the mean of −w·y·log σ(z) − (1 − y)·log(1 − σ(z)) over pairs of a query and a document with the score z and the
     * label y in [0, 1].
     *
     * @param positiveWeight w, above 0
     */
    record BinaryCrossEntropy(double positiveWeight) implements EncoderObjective {
        public BinaryCrossEntropy {
            require(
                    positiveWeight > 0 && Double.isFinite(positiveWeight),
                    "positiveWeight",
                    "above 0 and finite",
                    positiveWeight);
        }

        @Override
        public String name() {
            return "reranker";
        }

        @Override
        public boolean scores() {
            return true;
        }
    }
}
