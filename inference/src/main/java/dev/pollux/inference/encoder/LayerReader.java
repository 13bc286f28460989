package dev.pollux.inference.encoder;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Reads the modules of a sentence-transformers folder that have weights. */
final class LayerReader {

    private static final int MAX_WIDTH = 1 << 14;

    private final Path folder;

    LayerReader(Path folder) {
        this.folder = folder;
    }

    VectorLayer dense() {
        JsonNode config = JsonFile.read(folder.resolve("config.json"))
                .orElseThrow(() -> new MalformedFileException(folder + " has no config.json; download it"));
        String input = config.path("module_input_name").asString("sentence_embedding");
        String output = config.path("module_output_name").asString(input);
        if (!input.equals("sentence_embedding") || !output.equals("sentence_embedding")) {
            throw new UnsupportedModelException(
                    folder + "/config.json: a dense layer must work on sentence_embedding but" + " works from '" + input
                            + "' to '" + output + "'");
        }
        int in = width(config, "in_features");
        int out = width(config, "out_features");
        boolean residual = config.path("use_residual").asBoolean(false);
        try (TensorFile tensors = weights()) {
            return new VectorLayer.Dense(
                    in,
                    out,
                    tensor(tensors, "linear.weight", out, in),
                    config.path("bias").asBoolean(true) ? tensor(tensors, "linear.bias", out) : new float[out],
                    activation(config),
                    residual && in == out,
                    residual && in != out ? tensor(tensors, "residual.weight", out, in) : new float[0]);
        }
    }

    VectorLayer layerNorm() {
        JsonNode config = JsonFile.read(folder.resolve("config.json"))
                .orElseThrow(() -> new MalformedFileException(folder + " has no config.json; download it"));
        int width = width(config, "dimension");
        try (TensorFile tensors = weights()) {
            return new VectorLayer.LayerNorm(
                    tensor(tensors, "norm.weight", width), tensor(tensors, "norm.bias", width));
        }
    }

    private TensorFile weights() {
        if (!Files.isRegularFile(folder.resolve("model.safetensors"))
                && Files.isRegularFile(folder.resolve("pytorch_model.bin"))) {
            throw new UnsupportedModelException(
                    folder + " has its weights in pytorch_model.bin, which is a program and is"
                            + " not run; save the model as safetensors");
        }
        return SafetensorsFolder.open(folder);
    }

    private Activation activation(JsonNode config) {
        String name = config.path("activation_function").asString("torch.nn.modules.activation.Tanh");
        return Activation.of(name)
                .orElseThrow(() -> new UnsupportedModelException(folder + "/config.json: activation_function '" + name
                        + "' is not supported, only "
                        + Arrays.stream(Activation.values())
                                .map(Activation::torchName)
                                .toList()));
    }

    private int width(JsonNode config, String key) {
        JsonNode value = config.path(key);
        if (!value.isInt() || value.asInt() < 1 || value.asInt() > MAX_WIDTH) {
            throw new MalformedFileException(folder + "/config.json: " + key + " must be a whole number in [1, "
                    + MAX_WIDTH + "] but was " + value);
        }
        return value.asInt();
    }

    private float[] tensor(TensorFile tensors, String name, int... shape) {
        List<Long> expected = Arrays.stream(shape).asLongStream().boxed().toList();
        TensorInfo info = tensors.tensors().get(name);
        if (info == null || !info.shape().equals(expected)) {
            throw new MalformedFileException(folder + ": " + name + " must have shape " + expected + " but "
                    + (info == null ? "is missing" : "has " + info.shape()));
        }
        return tensors.floats(name);
    }
}
