package dev.pollux.quantization;

import java.util.List;

/**
 * The predicted result of a quantization. <em>Immutable.</em>
 *
 * @param layers the weights to quantize, in graph order, without errors
 * @param kept the weights of at least two dimensions that stay in float, with reasons
 * @param bytesBefore bytes of all weights of the original graph
 * @param bytesAfter bytes of all weights of the result
 * @param memory bytes of working memory, without mapped files
 * @param notices what the caller should know, such as a slow kernel
 */
public record QuantizationPreview(
        List<QuantizedLayer> layers,
        List<KeptWeight> kept,
        long bytesBefore,
        long bytesAfter,
        long memory,
        List<String> notices) {

    public QuantizationPreview {
        layers = List.copyOf(layers);
        kept = List.copyOf(kept);
        notices = List.copyOf(notices);
    }

    /** A short summary. */
    @Override
    public String toString() {
        return "QuantizationPreview[" + layers.size() + " layers, " + kept.size() + " weights kept, " + bytesBefore
                + " to " + bytesAfter + " bytes]";
    }
}
