package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Parameter.Kind;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.AdapterNames;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LoraWriter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Parameters as an adapter in PEFT's format. */
final class AdapterFile {

    private AdapterFile() {}

    /**
     * The parameters of a stored adapter.
     *
     * @param tensors the names of the model's tensors
     * @throws MalformedFileException if it changes a tensor that the model lacks
     * @throws UnsupportedModelException if it has a change that is not trained: of an embedding or of rows of tokens
     */
    static Trainables load(LoraAdapter adapter, Set<String> tensors) {
        AdapterNames names = AdapterNames.of(tensors);
        List<LoraModule> modules = new ArrayList<>();
        List<Parameter> others = new ArrayList<>();
        for (String target : adapter.targets()) {
            if (adapter.addedBias(target).isPresent()) {
                continue; // belongs to the factors of its module
            }
            String tensor = names.find(target)
                    .orElseThrow(() -> new MalformedFileException("The adapter "
                            + adapter.name() + " changes " + target
                            + ", which the model does not have; continue an adapter of this model"));
            if (adapter.isEmbedding(target) || adapter.tokens(target).isPresent()) {
                throw new UnsupportedModelException("The adapter " + adapter.name() + " changes rows of " + target
                        + ", which cannot be trained; continue an adapter of linear layers");
            }
            Optional<LowRankChange> factors = adapter.factors(target);
            if (factors.isPresent()) {
                modules.add(module(adapter, target, tensor, factors.get()));
            } else {
                adapter.base(target)
                        .or(() -> adapter.whole(target))
                        .ifPresent(values -> others.add(
                                parameter(tensor, tensor.endsWith(".bias") ? Kind.BIAS : Kind.WHOLE, values)));
            }
        }
        return new Trainables(modules, others, 0);
    }

    private static LoraModule module(LoraAdapter adapter, String target, String tensor, LowRankChange change) {
        String bias = target.substring(0, target.length() - ".weight".length()) + ".bias";
        return new LoraModule(
                tensor,
                change.scale(),
                parameter(tensor, Kind.A, change.a()),
                parameter(tensor, Kind.B, change.b()),
                adapter.addedBias(bias).map(values -> parameter(tensor, Kind.ADDED_BIAS, values)),
                adapter.magnitude(target).map(values -> parameter(tensor, Kind.MAGNITUDE, values)));
    }

    private static Parameter parameter(String tensor, Kind kind, TensorSource source) {
        float[] values = new float[Math.toIntExact(source.elements())];
        source.read(0, values.length, values, 0);
        List<Long> shape = kind == Kind.MAGNITUDE ? List.of(source.elements()) : source.shape();
        return new Parameter(tensor, kind, shape, values);
    }

    /** Writes the parameters into an existing folder. */
    static void save(Path folder, Trainables trainables, PeftConfig settings) {
        List<String> matrices =
                trainables.modules().stream().map(LoraModule::tensor).toList();
        List<String> others =
                trainables.tensors().stream().map(Parameter::tensor).toList();
        try (LoraWriter writer = LoraWriter.create(folder, matrices, others)) {
            for (LoraModule module : trainables.modules()) {
                writer.factors(
                        module.tensor(), new LowRankChange(held(module.a()), held(module.b()), module.scale(), false));
                module.magnitude().ifPresent(values -> writer.magnitude(module.tensor(), held(values)));
                module.bias()
                        .ifPresent(
                                values -> writer.addedBias(module.tensor().replace(".weight", ".bias"), held(values)));
            }
            for (Parameter tensor : trainables.tensors()) {
                if (tensor.kind() == Kind.BIAS) {
                    boolean ofFactors = matrices.contains(tensor.tensor().replace(".bias", ".weight"));
                    writer.trainedBias(tensor.tensor(), ofFactors, held(tensor));
                } else {
                    writer.whole(tensor.tensor(), DType.F32, held(tensor));
                }
            }
            writer.finish(settings);
        }
    }

    private static TensorSource held(Parameter parameter) {
        return new HeldTensor(parameter.shape(), parameter.values(), parameter.name());
    }
}
