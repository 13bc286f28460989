package dev.pollux.finetune.internal.model;

import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorInfo;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Detects quantized weights in a folder, and their format. */
public final class QuantizedWeights {

    private static final List<String> SECTIONS = List.of("quantization_config", "compression_config", "quantization");

    /** EnglishStemmer of the auxiliary tensors of quantizers → the quantizer. */
    private static final Map<String, String> ENDS = Map.of(
            ".qweight", "gptq or awq",
            ".absmax", "bitsandbytes",
            ".quant_map", "bitsandbytes",
            ".SCB", "bitsandbytes",
            ".weight_packed", "compressed-tensors",
            ".weight_scale_inv", "fp8",
            "_blocks", "mxfp4");

    private static final Set<DType> NO_CODES =
            EnumSet.of(DType.F32, DType.F16, DType.BF16, DType.F64, DType.I64, DType.BOOL);

    private QuantizedWeights() {}

    /** The quantizer of the weights; empty if the weights are floats, regardless of the configuration. */
    static Optional<String> method(ObjectNode config, Collection<TensorInfo> tensors) {
        Optional<String> seen = tensors.stream()
                .filter(QuantizedWeights::isCode)
                .map(info -> ENDS.entrySet().stream()
                        .filter(end -> info.name().endsWith(end.getKey()))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse(info.type().name().startsWith("F8") ? "fp8" : ""))
                .reduce((one, other) -> one.isEmpty() ? other : one);
        if (seen.isEmpty()) {
            return Optional.empty();
        }
        Optional<String> said = SECTIONS.stream()
                .map(config::get)
                .filter(ObjectNode.class::isInstance)
                .map(section -> section.path("quant_method").asString(config.has("quantization") ? "mlx" : ""))
                .filter(method -> !method.isBlank())
                .findFirst();
        return said.or(() -> seen.filter(method -> !method.isEmpty()));
    }

    /** Removes the quantization settings from the configuration of float weights. */
    public static void forget(ObjectNode config) {
        SECTIONS.stream()
                .filter(section -> config.get(section) instanceof ObjectNode)
                .forEach(config::remove);
    }

    /** Whether a tensor contains codes or their decoding parameters. */
    private static boolean isCode(TensorInfo info) {
        return ENDS.keySet().stream().anyMatch(info.name()::endsWith)
                || info.shape().size() >= 2 && !NO_CODES.contains(info.type());
    }
}
