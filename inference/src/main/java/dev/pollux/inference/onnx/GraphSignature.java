package dev.pollux.inference.onnx;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.checkpoint.SpecialTokens;
import dev.pollux.inference.onnx.GraphInput.Role;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The configuration of a published graph. <em>Immutable.</em>
 *
 * @param source the configuration file
 * @param kind the format of the folder
 * @param vocabularySize 0 where it is not said
 * @param keyValueHeads 0 where it is not said
 * @param headDim 0 where it is not said
 * @param sampling the publisher's sampling options; empty if there are none
 * @param inputs the role of each input by its name
 * @param logits the name of the logits output
 * @param states the names of keys and values, with %d for the layer
 */
record GraphSignature(
        Path source,
        OnnxFolder.Kind kind,
        String name,
        String architecture,
        int vocabularySize,
        int contextLength,
        List<Integer> endTokens,
        SpecialTokens specialTokens,
        int keyValueHeads,
        int headDim,
        Optional<GenerationOptions> sampling,
        Map<String, Role> inputs,
        String logits,
        List<Names> states) {

    /** The input and output names of a state. */
    record Names(String past, String present) {}

    GraphSignature {
        endTokens = List.copyOf(endTokens);
        inputs = Collections.unmodifiableMap(new TreeMap<>(inputs));
        states = List.copyOf(states);
    }
}
