package dev.pollux.inference.decoder;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.ExportReport.StepCost;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.ShapeMismatchException;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.architecture.Architecture;
import dev.pollux.inference.internal.architecture.Architectures;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.DerivedTensors;
import dev.pollux.inference.internal.layer.LayerProgress;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A checkpoint's graph before it is written. Only headers and small tensors have been read; reports and manifests are
 * computed from it. <em>Confined to one thread.</em>
 */
final class LoweredDecoder {

    private final ExportOptions options;
    private final int contextLength;
    private final CachedLowering lowering;
    private final Graph graph;
    private final List<Integer> weightsUpTo; // the cumulative number of weights at the end of each layer

    private LoweredDecoder(ExportOptions options, Blocks blocks, Graph graph, List<Integer> weightsUpTo) {
        this.options = options;
        this.contextLength = blocks.contextLength;
        this.lowering = (CachedLowering) blocks.lowering();
        this.graph = graph;
        this.weightsUpTo = List.copyOf(weightsUpTo);
    }

    /** Fails if tensors are missing or surplus, or the architecture is unknown. */
    static LoweredDecoder of(Checkpoint checkpoint, ExportOptions options) {
        int contextLength = Math.min(checkpoint.config().contextLength(), options.maxContext());
        Blocks blocks = new Blocks(
                checkpoint.config(),
                checkpoint.settings(),
                new DerivedTensors(checkpoint.tensors()),
                GraphBuilder.create(),
                contextLength,
                made -> new CachedLowering(made, options));
        List<Integer> weightsUpTo = new ArrayList<>();
        try {
            Architecture architecture = Architectures.of(blocks);
            Residual x = architecture.embed();
            for (int layer = 0; layer < architecture.layers(); layer++) {
                architecture.layer(layer, x);
                weightsUpTo.add(blocks.graph.weightCount());
            }
            architecture.head(architecture.normed(x));
        } catch (ShapeMismatchException e) {
            throw new MalformedFileException(
                    blocks.settings.file() + ": " + e.getMessage() + "; the configuration and the weights do not match",
                    e);
        }
        blocks.tensors.refuseSurplus(blocks.config.architecture(), blocks::predictsTokens);
        return new LoweredDecoder(options, blocks, blocks.graph.build(), weightsUpTo);
    }

    Graph graph() {
        return graph;
    }

    ExportOptions options() {
        return options;
    }

    int contextLength() {
        return contextLength;
    }

    List<StateTensor> states() {
        return lowering.states();
    }

    int rotarySwitch() {
        return lowering.rotarySwitch();
    }

    /** Writes the graph. It reports layers and can be cancelled between weights. */
    void write(Path model, JobContext context) {
        context.checkCancelled();
        GraphWriter.write(graph, model, new LayerProgress(context, weightsUpTo));
    }

    /** The products to which an adapter can be added. */
    List<Projection> projections() {
        return lowering.matrixUses().stream()
                .filter(MatrixUse::takesAdapter)
                .map(MatrixUse::projection)
                .toList();
    }

    /** See {@link DecoderExport#matrices}. */
    Map<String, List<String>> matricesOfWeights() {
        Set<String> tables = new HashSet<>();
        Map<String, List<String>> matrices = new LinkedHashMap<>();
        for (MatrixUse use : lowering.matrixUses()) {
            String weight = use.weights().get(0).name();
            if (use.kind() == MatrixUse.Kind.LOOKUP) {
                tables.add(weight);
            } else if (!tables.contains(weight)) {
                matrices.put(weight, use.projection().weights());
            }
        }
        return matrices;
    }

    /** The number of matrices for each form, in graph order. */
    Map<String, Integer> matrices() {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (Weight weight : graph.weights()) {
            if (weight.source() instanceof MatrixSource source) {
                counts.merge(source.form(), source.matrices(), Integer::sum);
            }
        }
        return counts;
    }

    /** Describes the effect of the forms on quality. */
    List<String> notices() {
        List<String> notices = new ArrayList<>();
        matrices().forEach((what, count) -> {
            if (what.endsWith("rounded to 8 bits")) {
                notices.add(count + " matrices: " + what
                        + ", which the 4-bit kernel cannot hold; perplexity of a small model rises by about 0.7 %");
            } else if (what.endsWith("rounded to 4 bits")) {
                notices.add(count + " matrices: " + what + "; perplexity of a small model rises by 20 to 30 %");
            }
        });
        return notices;
    }

    ExportReport report(long begin) {
        return new ExportReport(
                GraphWriter.dataBytes(graph),
                matrices(),
                notices(),
                step(),
                Duration.ofNanos(System.nanoTime() - begin));
    }

    private StepCost step() {
        List<MatrixUse> uses = lowering.matrixUses();
        return new StepCost(
                Math.round(uses.stream().mapToDouble(MatrixUse::bytesPerToken).sum()),
                Math.round(uses.stream().mapToDouble(MatrixUse::weightsPerToken).sum()),
                bytes(states().stream().filter(StateTensor::isCache)),
                bytes(states().stream().filter(state -> !state.isCache())));
    }

    /** The bytes of states; for a cache, per position. */
    private static long bytes(Stream<StateTensor> states) {
        return states.mapToLong(state ->
                        LongStream.of(state.shape(1, 1)).reduce(state.type().bytes(), Math::multiplyExact))
                .sum();
    }
}
