package dev.pollux.inference.quantize;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.internal.layerwise.HiddenStates;
import dev.pollux.inference.internal.layerwise.LayerRunner;
import dev.pollux.inference.internal.layerwise.LinearInput;
import dev.pollux.inference.internal.layerwise.LinearProduct;
import dev.pollux.inference.quantize.int8.ActivationRuns;
import dev.pollux.job.JobContext;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** The float decoder of a checkpoint that runs over texts, layer by layer. <em>Confined to one thread.</em> */
final class LayerRuns implements ActivationRuns {

    /*
     * Memory holds the weights of one layer and the states of all texts. The activations that can be read are the inputs of matrices
     * in layers, without those of single experts, and that of the head. The names in the graph of the whole decoder are found by the
     * stored matrices, in the order of the layers.
     */

    private final String model;
    private final LayerRunner runner;
    private final List<int[]> windows;
    private final List<Map<String, Set<String>>> values; // by layer: activations of the graph by those of the runner
    private final Map<String, Integer> headInputs = new LinkedHashMap<>(); // widths by activation

    private LayerRuns(Checkpoint checkpoint, LayerRunner runner, List<int[]> windows) {
        this.model = checkpoint.path().toString();
        this.runner = runner;
        this.windows = windows;
        this.values = Stream.generate(() -> (Map<String, Set<String>>) new HashMap<String, Set<String>>())
                .limit(runner.layers())
                .toList();
    }

    /**
     * Describes the runs; reads no weights.
     *
     * @param graph the float graph of the checkpoint
     * @param windows token ids of the texts; none if nothing is run
     * @param longest the most tokens of a window
     */
    static LayerRuns of(DecoderCheckpoint source, Graph graph, List<int[]> windows, int longest, int threads) {
        Checkpoint checkpoint = source.checkpoint();
        LayerRunner runner =
                LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), longest, threads);
        LayerRuns made = new LayerRuns(checkpoint, runner, windows);
        made.find(graph, source.matrices());
        return made;
    }

    private void find(Graph graph, Map<String, List<String>> matrices) {
        ValueReaders readers = new ValueReaders(graph);
        Map<List<String>, Deque<Node>> waiting = new HashMap<>(); // products of the graph by stored matrices
        for (Node node : graph.nodes()) {
            List<String> stored = node.operator().equals("MatMul") ? matrices.get(node.input(1)) : null;
            if (stored != null) {
                waiting.computeIfAbsent(stored, key -> new ArrayDeque<>()).add(node);
            }
        }
        for (int layer = 0; layer < runner.layers(); layer++) {
            for (LinearProduct product : runner.products(layer)) {
                Deque<Node> nodes = waiting.get(product.matrices());
                if (nodes != null && !nodes.isEmpty()) {
                    values.get(layer)
                            .computeIfAbsent(product.input(), key -> new LinkedHashSet<>())
                            .add(nodes.remove().input(0));
                }
            }
        }
        waiting.values().stream()
                .flatMap(Deque::stream)
                .filter(node -> readers.reachesOutput(node.output(0)))
                .forEach(node -> graph.weight(node.input(1))
                        .ifPresent(weight -> headInputs.put(
                                node.input(0), (int) weight.shape().size(0))));
    }

    /** The activations that can be read. */
    Set<String> readable() {
        Set<String> all = new LinkedHashSet<>(headInputs.keySet());
        values.forEach(layer -> layer.values().forEach(all::addAll));
        return all;
    }

    @Override
    public String model() {
        return model;
    }

    @Override
    public void read(Collection<String> wanted, Reader reader, Pass pass) {
        JobContext context = pass.context();
        long parts = runner.layers() + 1L;
        try (HiddenStates states = runner.embed(windows, context)) {
            for (int index = 0; index < runner.layers(); index++) {
                pass.done(index, parts, "layers");
                Map<String, Set<String>> names = values.get(index);
                try (LayerRunner.Layer layer = runner.layer(index, context)) {
                    List<LinearInput> inputs = runner.linearInputs(index).stream()
                            .filter(input -> names.getOrDefault(input.value(), Set.of()).stream()
                                    .anyMatch(wanted::contains))
                            .toList();
                    if (!inputs.isEmpty()) {
                        layer.readInputs(
                                states,
                                inputs,
                                (input, x) -> names.getOrDefault(input.value(), Set.of()).stream()
                                        .filter(wanted::contains)
                                        .forEach(value -> reader.accept(value, x)),
                                context);
                    }
                    layer.advance(states, context);
                }
            }
            pass.done(runner.layers(), parts, "layers");
            head(states, wanted, reader, context);
        }
    }

    private void head(HiddenStates states, Collection<String> wanted, Reader reader, JobContext context) {
        List<String> names =
                headInputs.keySet().stream().filter(wanted::contains).toList();
        if (names.isEmpty()) {
            return;
        }
        LinearInput input = runner.headInput(Objects.requireNonNull(headInputs.get(names.get(0))));
        try (LayerRunner.Layer norm = runner.lastNorm(context)) {
            norm.readInputs(
                    states, List.of(input), (read, x) -> names.forEach(name -> reader.accept(name, x)), context);
        }
    }
}
