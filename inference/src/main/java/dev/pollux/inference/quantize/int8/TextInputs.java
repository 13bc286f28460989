package dev.pollux.inference.quantize.int8;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.encoder.EncoderTexts;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/** The inputs of a text encoder's graph for texts: one text a run, without padding. */
final class TextInputs {

    private static final Set<String> NAMES = Set.of("input_ids", "attention_mask", "token_type_ids", "position_ids");

    private TextInputs() {}

    /**
     * The inputs of each run.
     *
     * @throws UnsupportedModelException if the graph has an input that a text does not give
     */
    static List<List<InputTensor>> of(Graph graph, EncoderTexts texts, String model) {
        for (Value input : graph.inputs()) {
            if (!NAMES.contains(input.name()) || !input.type().isInteger()) {
                throw new UnsupportedModelException(
                        "int8-static measures ranges on texts, but " + model + " has an input " + input.name()
                                + " of type " + input.type() + ", which a text does not give; use int8");
            }
        }
        return texts.windows().stream()
                .map(ids -> graph.inputs().stream()
                        .map(input -> tensor(input, ids, texts.firstPosition()))
                        .toList())
                .toList();
    }

    private static InputTensor tensor(Value input, int[] ids, int firstPosition) {
        boolean wide = input.type() == ElementType.INT64;
        ByteBuffer bytes = Tensors.direct(ids.length * input.type().bytes());
        for (int i = 0; i < ids.length; i++) {
            int value = switch (input.name()) {
                case "input_ids" -> ids[i];
                case "attention_mask" -> 1;
                case "position_ids" -> firstPosition + i;
                default -> 0;
            };
            if (wide) {
                bytes.putLong(value);
            } else {
                bytes.putInt(value);
            }
        }
        return new InputTensor(input.name(), input.type(), List.of(1L, (long) ids.length), bytes.flip());
    }
}
