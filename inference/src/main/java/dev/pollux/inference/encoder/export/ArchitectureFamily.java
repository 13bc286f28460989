package dev.pollux.inference.encoder.export;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.architecture.Architecture;
import dev.pollux.inference.internal.architecture.Architectures;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.DerivedTensors;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.masked.MaskedLowering;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A decoder that gives vectors, such as Qwen3 Embedding (Zhang et al., arXiv:2506.05176): any architecture of decoders, through
 * masks. A token sees those before it, unless {@code is_causal} is false or {@code use_bidirectional_attention} true.
 */
final class ArchitectureFamily extends Family {

    /** Most positions a rotary table holds. */
    private static final int MAX_POSITIONS = 1 << 17;

    private final Blocks layers;
    private final Architecture architecture;
    private @Nullable Residual stream;

    /**
     * @param name the architecture as the decoder calls it
     * @param base what the names of its base model's tensors begin with there
     */
    ArchitectureFamily(EncoderOperators operators, ConfigReader config, String name, String base) {
        super(operators, config);
        StoredTensors stored = operators.tensors();
        Path folder = Objects.requireNonNull(config.file().toAbsolutePath().getParent());
        ModelConfig model;
        Settings settings;
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            model = checkpoint.config().withArchitecture(name);
            settings = checkpoint.settings();
        }
        DerivedTensors tensors = new DerivedTensors(new PrefixedTensors(stored.file(), stored.prefix(), base));
        this.layers = new Blocks(
                model,
                settings,
                tensors,
                operators.graph(),
                Math.min(model.contextLength(), MAX_POSITIONS),
                made -> new MaskedLowering(
                        made, operators, operators.form() == EncoderWeights.BITS_8, stored.prefix()));
        this.architecture = Architectures.of(layers);
    }

    @Override
    int layers() {
        return architecture.layers();
    }

    @Override
    Value embed() {
        Residual x = architecture.embed();
        stream = x;
        return x.value();
    }

    private Residual stream() {
        return java.util.Objects.requireNonNull(stream, "embed() comes first");
    }

    @Override
    Value layer(int layer, Value x) {
        architecture.layer(layer, stream());
        return x;
    }

    @Override
    Value finish(Value x) {
        Value normed = architecture.normed(stream());
        blocks.tensors().use(layers.tensors.used());
        return normed;
    }

    @Override
    Value logits(Value hidden) {
        EncoderOperators outside = blocks.outside();
        int labels = outside.tensors().rows("score.weight");
        return outside.linear(tokens.last(hidden), layers.config.hiddenSize(), labels, false, "score");
    }
}
