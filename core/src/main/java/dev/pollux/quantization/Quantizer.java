package dev.pollux.quantization;

import dev.pollux.job.Job;
import java.nio.file.Path;

/**
 * Makes a model smaller by storing its weights in fewer bits. Implementations are <em>thread-safe</em>.
 *
 * <pre>{@code
 * QuantizationReport report = quantizer.quantize(model, target, QuantizationRecipe.DEFAULTS).run();
 * }</pre>
 */
public interface Quantizer {

    /**
     * Checks a recipe against a model and predicts the result of {@link #quantize}. Reads headers only and writes nothing.
     *
     * @param model the model's file or folder
     * @throws IllegalArgumentException if the recipe cannot be applied to the model, such as a rule that matches no weight, or
     *     a model without weights to quantize
     */
    QuantizationPreview plan(Path model, QuantizationRecipe recipe);

    /**
     * Quantizes a model into {@code target}, a folder that must not exist. The folder appears when it is complete; the model is
     * not changed.
     *
     * @param model the model's file or folder
     * @return a job that reports progress in bytes of weights read. Running it fails with the errors of {@link #plan} before
     *     the first write, and with {@link dev.pollux.MalformedFileException} if a weight is NaN or infinite; then nothing is
     *     left behind
     */
    Job<QuantizationReport> quantize(Path model, Path target, QuantizationRecipe recipe);
}
