package dev.pollux.inference.quantize;

import dev.pollux.ModelExecutionException;
import dev.pollux.inference.calibration.CalibrationWindows;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.internal.layerwise.HiddenStates;
import dev.pollux.inference.internal.layerwise.InputMoments;
import dev.pollux.inference.internal.layerwise.LayerRunner;
import dev.pollux.inference.internal.layerwise.LinearInput;
import dev.pollux.inference.internal.layerwise.LinearProduct;
import dev.pollux.quantization.QuantizationMethod;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Quantizes the matrices of a decoder layer by layer. <em>Confined to one thread.</em> */
final class LayerwiseQuantization implements CalibratedWeights {

    /*
     * A layer is run on the states that the quantized layers before it give. Its inputs are taken in stages: those of queries, keys
     * and values before that of the attention's output, and so on. After a stage its matrices are replaced by the quantized ones, so
     * that the next stage has the inputs that it will have in the quantized model. Matrices with one input share its Hessian.
     *
     * Weights are written in the order of the graph, which is that of the layers. So a layer is quantized when its first weight is
     * written, and memory holds one layer, the Hessians of some inputs of one stage, the states, and codes until they are written.
     *
     * An expert that too few tokens reach has no Hessian worth the name: it is searched without texts, and the report says so.
     */

    /** Experts with fewer tokens than this share, or than twice the width of their inputs, are quantized without texts. */
    private static final double LEAST_SHARE = 0.005;

    private final GraphPlan plan;
    private final QuantizationRun run;
    private final LayerRunner runner;
    private final HiddenStates states;
    private final long tokens;
    private final Map<List<String>, Deque<MatrixPlan>> waiting = new HashMap<>(); // by stored matrices
    private final IdentityHashMap<MatrixPlan, CodedMatrix> ready = new IdentityHashMap<>();
    private final Set<MatrixPlan> expected = Collections.newSetFromMap(new IdentityHashMap<>());
    private int next;
    private int withoutTexts;

    private LayerwiseQuantization(
            GraphPlan plan, QuantizationRun run, LayerRunner runner, HiddenStates states, long tokens) {
        this.plan = plan;
        this.run = run;
        this.runner = runner;
        this.states = states;
        this.tokens = tokens;
    }

    /** Reads the texts; no layer is quantized yet. */
    static LayerwiseQuantization of(DecoderCheckpoint source, GraphPlan plan, QuantizationRun run) {
        Checkpoint checkpoint = source.checkpoint();
        Map<String, List<String>> matrices = source.matrices();
        List<int[]> windows = CalibrationWindows.of(checkpoint, plan.recipe().calibration());
        int longest = windows.stream().mapToInt(window -> window.length).max().orElseThrow();
        LayerRunner runner = LayerRunner.of(
                checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), longest, run.threads());
        long tokens = windows.stream().mapToLong(window -> window.length).sum();
        HiddenStates states = runner.embed(windows, run.context());
        LayerwiseQuantization made = new LayerwiseQuantization(plan, run, runner, states, tokens);
        for (MatrixPlan one : plan.plans()) {
            List<String> stored = matrices.get(one.weight().name());
            if (one.method() == QuantizationMethod.GPTQ && stored != null) {
                made.expected.add(one);
                made.waiting.computeIfAbsent(stored, key -> new ArrayDeque<>()).add(one);
            }
        }
        return made;
    }

    @Override
    public Optional<CodedMatrix> take(MatrixPlan wanted) {
        if (!expected.remove(wanted)) {
            return Optional.empty();
        }
        while (!ready.containsKey(wanted) && next <= runner.layers()) {
            if (next == 0) {
                run.context().progress("calibrate", 0, runner.layers() + 1L, "layers");
            }
            if (next < runner.layers()) {
                layer(next);
            } else {
                head();
            }
            next++;
            run.context().progress("calibrate", next, runner.layers() + 1L, "layers");
        }
        return Optional.ofNullable(ready.remove(wanted));
    }

    private void layer(int index) {
        if (waiting.isEmpty()) {
            return; // nothing is left that needs the states
        }
        Map<String, List<Target>> targets = new HashMap<>(); // by input
        for (LinearProduct product : runner.products(index)) {
            Deque<MatrixPlan> plans = waiting.get(product.matrices());
            if (plans != null) {
                targets.computeIfAbsent(product.input(), key -> new ArrayList<>())
                        .add(new Target(plans.remove(), product));
                if (plans.isEmpty()) {
                    waiting.remove(product.matrices());
                }
            }
        }
        try (LayerRunner.Layer layer = runner.layer(index, run.context())) {
            for (List<LinearInput> stage : runner.stages(index)) {
                List<LinearInput> wanted = stage.stream()
                        .filter(input -> targets.containsKey(input.value()))
                        .toList();
                for (List<LinearInput> some : fitting(wanted)) {
                    layer.moments(states, some, run.context())
                            .forEach((input, moments) ->
                                    quantize(layer, moments, Objects.requireNonNull(targets.get(input.value()))));
                }
            }
            layer.advance(states, run.context());
        }
    }

    /** A matrix to quantize. */
    private record Target(MatrixPlan plan, LinearProduct product) {}

    /** Inputs whose sums fit the memory together, at least one each. */
    private List<List<LinearInput>> fitting(List<LinearInput> inputs) {
        List<List<LinearInput>> groups = new ArrayList<>();
        long left = 0;
        for (LinearInput input : inputs) {
            long bytes = (long) input.width()
                    * input.width()
                    * Float.BYTES
                    * 3; // the sum, a triangle of doubles, and the product
            if (groups.isEmpty() || bytes > left) {
                groups.add(new ArrayList<>());
                left = run.memory();
            }
            groups.get(groups.size() - 1).add(input);
            left -= bytes;
        }
        return groups;
    }

    private void quantize(LayerRunner.Layer layer, InputMoments moments, List<Target> targets) {
        Optional<HessianCoder> coder = coder(moments, targets.get(0).plan());
        for (Target target : targets) {
            CodedMatrix coded = coded(target.plan(), coder);
            ready.put(target.plan(), coded);
            layer.replace(
                    target.product().factor(),
                    coded.dequantized(),
                    target.plan().columns());
        }
    }

    private CodedMatrix coded(MatrixPlan one, Optional<HessianCoder> coder) {
        MatrixCoding coding = new MatrixCoding(one, plan.recipe(), run);
        if (coder.isEmpty()) {
            withoutTexts++;
            return coding.coded(
                    one.symmetric() ? QuantizationMethod.LEAST_SQUARES : QuantizationMethod.SEARCH,
                    values -> CodedRows.of(values, one.columns(), one.format(), MatrixCoding.search(one)));
        }
        HessianCoder found = coder.get();
        return coding.coded(QuantizationMethod.GPTQ, values -> found.code(values, one.format(), one.symmetric()));
    }

    /** Empty for an expert that too few tokens reach. */
    private Optional<HessianCoder> coder(InputMoments moments, MatrixPlan one) {
        int width = moments.gram().length;
        boolean few = moments.tokens() < Math.max(2.0 * width, LEAST_SHARE * tokens);
        if (moments.tokens() < tokens && few) {
            return Optional.empty();
        }
        for (int j = 0; j < width; j++) {
            if (!Double.isFinite(moments.gram()[j][j])) {
                throw new ModelExecutionException(
                        "The inputs of " + one.weight().name()
                                + " must be finite but one is not for the calibration texts; the weights are damaged, or keep"
                                + " them in float with a rule");
            }
        }
        return Optional.of(HessianCoder.of(moments.gram(), moments.tokens()));
    }

    /** The head reads the normed states. What is left besides it is outside of layers and has no inputs here. */
    private void head() {
        ValueReaders readers = new ValueReaders(plan.graph());
        List<MatrixPlan> heads = waiting.values().stream()
                .flatMap(Deque::stream)
                .filter(one -> one.uses().stream()
                        .anyMatch(use -> readers.reachesOutput(use.node().output(0))))
                .toList();
        waiting.clear();
        if (heads.isEmpty()) {
            return;
        }
        LinearInput input = runner.headInput(heads.get(0).columns());
        try (LayerRunner.Layer norm = runner.lastNorm(run.context())) {
            InputMoments moments = Objects.requireNonNull(
                    norm.moments(states, List.of(input), run.context()).get(input));
            heads.forEach(one -> ready.put(one, coded(one, coder(moments, one))));
        }
    }

    @Override
    public List<String> notices() {
        List<String> notices = new ArrayList<>();
        if (withoutTexts > 0) {
            notices.add(
                    withoutTexts + " matrices of experts were quantized without texts, since too few of their tokens"
                            + " reach them; give more texts, or texts of more kinds");
        }
        return notices;
    }

    @Override
    public void close() {
        states.close();
    }
}
