package dev.pollux.inference.quantize;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.internal.layerwise.LayerRunner;
import dev.pollux.inference.internal.layerwise.LinearInput;
import dev.pollux.inference.internal.layerwise.LinearProduct;
import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationRecipe;

/** The memory that a quantization layer by layer takes besides that of coding. */
final class LayerwiseMemory {

    /*
     *   a layer          4 bytes for each weight, and 1 for each code of the matrices that are not yet written
     *   moments          of the inputs of a stage, as many as fit the memory, at least one: 12 bytes for each pair of inputs
     *   a Hessian        its inverse, 8 bytes for each pair of inputs of the widest matrix
     *   states           4 bytes for each element of the stream, before and after a layer
     */

    private static final int MOMENTS = Float.BYTES + Double.BYTES;

    private LayerwiseMemory() {}

    /** Bytes of a run over texts that changes nothing: the weights of a layer, its inputs for a batch, and the states. */
    static long running(DecoderCheckpoint source, QuantizationRecipe recipe) {
        Checkpoint checkpoint = source.checkpoint();
        CalibrationData data = recipe.calibration();
        int length = Math.min(data.windowLength(), checkpoint.config().contextLength());
        LayerRunner runner =
                LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), length, 1);
        long layer = 0;
        long inputs = 0;
        for (int i = 0; i < runner.layers(); i++) {
            layer = Math.max(
                    layer,
                    runner.products(i).stream()
                            .mapToLong(product -> (long) product.rows() * product.columns() * Float.BYTES)
                            .sum());
            inputs = Math.max(
                    inputs,
                    runner.linearInputs(i).stream()
                            .mapToLong(LinearInput::width)
                            .sum());
        }
        return layer + 4L * Float.BYTES * data.windows() * length * inputs;
    }

    /**
     * An upper bound, in bytes.
     *
     * @param working the memory for moments, unless a single input needs more
     */
    static long of(DecoderCheckpoint source, QuantizationRecipe recipe, long working) {
        Checkpoint checkpoint = source.checkpoint();
        CalibrationData data = recipe.calibration();
        int length = Math.min(data.windowLength(), checkpoint.config().contextLength());
        LayerRunner runner =
                LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), length, 1);
        long layer = 0;
        long moments = 0;
        long widest = 0;
        long stream = 0;
        for (int i = 0; i < runner.layers(); i++) {
            long weights = runner.products(i).stream()
                    .mapToLong(product -> (long) product.rows() * product.columns())
                    .sum();
            layer = Math.max(layer, weights * (Float.BYTES + 1));
            long most = runner.products(i).stream()
                    .mapToLong(LinearProduct::columns)
                    .max()
                    .orElse(0);
            widest = Math.max(widest, most * most);
            long all = runner.linearInputs(i).stream()
                    .mapToLong(input -> MOMENTS * (long) input.width() * input.width())
                    .sum();
            moments = Math.max(moments, Math.max(Math.min(working, all), MOMENTS * most * most));
            stream = Math.max(
                    stream,
                    runner.linearInputs(i).stream()
                            .limit(1)
                            .mapToLong(LinearInput::width)
                            .sum());
        }
        long states = 2L * Float.BYTES * data.windows() * length * stream;
        return layer + moments + widest * Double.BYTES + states;
    }
}
