package dev.pollux.quantization;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * The result of a quantization. <em>Immutable.</em>
 *
 * @param folder the folder of the quantized model
 * @param recipe the recipe
 * @param layers the quantized weights, in graph order
 * @param kept the weights of at least two dimensions that stay in float, with reasons
 * @param bytesBefore bytes of all weights of the original graph
 * @param bytesAfter bytes of all weights of the result
 * @param notices what the caller should know, such as a slow kernel
 * @param elapsed the duration of the job
 */
public record QuantizationReport(
        Path folder,
        QuantizationRecipe recipe,
        List<QuantizedLayer> layers,
        List<KeptWeight> kept,
        long bytesBefore,
        long bytesAfter,
        List<String> notices,
        Duration elapsed) {

    public QuantizationReport {
        layers = List.copyOf(layers);
        kept = List.copyOf(kept);
        notices = List.copyOf(notices);
    }

    /** √(Σ nᵢ·eᵢ² / Σ nᵢ) over the layers, where nᵢ is the number of weights of a layer and eᵢ its relative error. */
    public double relativeError() {
        double sum = 0;
        double count = 0;
        for (QuantizedLayer layer : layers) {
            double error = layer.relativeError().orElse(0);
            sum += layer.elements() * error * error;
            count += layer.elements();
        }
        return count == 0 ? 0 : Math.sqrt(sum / count);
    }

    /** A short summary. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "QuantizationReport[%s, %d layers, %d weights kept, %d to %d bytes, relative error %.4f, %s]",
                folder,
                layers.size(),
                kept.size(),
                bytesBefore,
                bytesAfter,
                relativeError(),
                elapsed);
    }
}
