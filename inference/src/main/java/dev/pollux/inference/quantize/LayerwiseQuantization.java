package dev.pollux.inference.quantize;

import dev.pollux.ModelExecutionException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.graph.Weight;
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
     *
     * AWQ multiplies inputs by scales. The layer is run with what the codes stand for without these scales, so that its values are
     * those of the finished model wherever nothing has absorbed scales. What absorbs them is divided after it was coded.
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
    private final Set<MatrixPlan> done = Collections.newSetFromMap(new IdentityHashMap<>());
    private final FoldedScales folded;
    private int next;
    private int withoutTexts;

    private LayerwiseQuantization(
            GraphPlan plan, QuantizationRun run, LayerRunner runner, HiddenStates states, List<MatrixPlan> matrices) {
        this.plan = plan;
        this.run = run;
        this.runner = runner;
        this.states = states;
        this.tokens = states.tokens();
        this.expected.addAll(matrices);
        boolean scaled = plan.recipe().method() == QuantizationMethod.AWQ;
        this.folded = new FoldedScales(plan, scaled ? matrices : List.of(), this::prepare);
    }

    /**
     * Reads the texts; no layer is quantized yet.
     *
     * @param windows token ids of the texts
     */
    static LayerwiseQuantization of(
            DecoderCheckpoint source, GraphPlan plan, QuantizationRun run, List<int[]> windows) {
        Checkpoint checkpoint = source.checkpoint();
        Map<String, List<String>> matrices = source.matrices();
        int longest = windows.stream().mapToInt(window -> window.length).max().orElseThrow();
        LayerRunner runner = LayerRunner.of(
                checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), longest, run.threads());
        List<MatrixPlan> inLayers = plan.plans().stream()
                .filter(one -> one.method().runsLayerByLayer())
                .filter(one -> matrices.containsKey(one.weight().name()))
                .toList();
        HiddenStates states = runner.embed(windows, run.context());
        LayerwiseQuantization made = new LayerwiseQuantization(plan, run, runner, states, inLayers);
        inLayers.forEach(one -> made.waiting
                .computeIfAbsent(
                        Objects.requireNonNull(matrices.get(one.weight().name())), key -> new ArrayDeque<>())
                .add(one));
        return made;
    }

    @Override
    public Optional<CodedMatrix> take(MatrixPlan wanted) {
        if (!expected.remove(wanted)) {
            return Optional.empty();
        }
        prepare(wanted);
        return Optional.ofNullable(ready.remove(wanted));
    }

    @Override
    public Map<MatrixPlan, List<Weight>> vectors() {
        return folded.vectors();
    }

    /** Quantizes all layers up to that of a matrix. */
    private void prepare(MatrixPlan wanted) {
        while (!done.contains(wanted) && next <= runner.layers()) {
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
        code(targets.stream().map(Target::plan).toList(), moments);
        for (Target target : targets) {
            layer.replace(
                    target.product().factor(),
                    Objects.requireNonNull(ready.get(target.plan())).dequantized(),
                    target.plan().columns());
        }
    }

    /** Codes matrices with one input. */
    private void code(List<MatrixPlan> plans, InputMoments moments) {
        List<ActivationAwareCoder.Target> targets = plans.stream()
                .map(one -> new ActivationAwareCoder.Target(one, new MatrixCoding(one, plan.recipe(), run)))
                .toList();
        if (isFew(moments)) {
            withoutTexts += plans.size();
            for (ActivationAwareCoder.Target target : targets) {
                MatrixPlan one = target.plan();
                ready.put(
                        one,
                        target.coding()
                                .coded(
                                        one.symmetric() ? QuantizationMethod.LEAST_SQUARES : QuantizationMethod.SEARCH,
                                        values -> CodedRows.of(
                                                values, one.columns(), one.format(), MatrixCoding.search(one))));
            }
        } else {
            checkFinite(moments, plans.get(0));
            if (plan.recipe().method() == QuantizationMethod.AWQ) {
                scale(targets, moments);
            } else {
                HessianCoder coder = HessianCoder.of(moments.gram(), moments.tokens());
                targets.forEach(target -> ready.put(
                        target.plan(),
                        target.coding()
                                .coded(
                                        QuantizationMethod.GPTQ,
                                        values -> coder.code(
                                                values,
                                                target.plan().format(),
                                                target.plan().symmetric()))));
            }
        }
        done.addAll(plans);
    }

    private void scale(List<ActivationAwareCoder.Target> targets, InputMoments moments) {
        Optional<ScaleFold> fold = folded.fold(
                        targets.stream().map(ActivationAwareCoder.Target::plan).toList())
                .filter(found -> found.rows().stream().allMatch(rows -> ready.containsKey(rows.plan())));
        ActivationAwareCoder coder = ActivationAwareCoder.of(moments, fold, targets, run);
        double[] scales = coder.scales();
        for (ActivationAwareCoder.Target target : targets) {
            CodedMatrix coded =
                    target.coding().coded(QuantizationMethod.AWQ, values -> coder.code(values, target.plan()));
            ready.put(target.plan(), new CodedMatrix(QuantizationMethod.AWQ, coded.parts(), scales));
        }
        fold.ifPresent(found -> folded.absorb(found, scales, ready));
    }

    /** Whether this is an expert that too few tokens reach. */
    private boolean isFew(InputMoments moments) {
        int width = moments.gram().length;
        return moments.tokens() < tokens && moments.tokens() < Math.max(2.0 * width, LEAST_SHARE * tokens);
    }

    private static void checkFinite(InputMoments moments, MatrixPlan one) {
        for (int j = 0; j < moments.gram().length; j++) {
            if (!Double.isFinite(moments.gram()[j][j])) {
                throw new ModelExecutionException(
                        "The inputs of " + one.weight().name()
                                + " must be finite but one is not for the calibration texts; the weights are damaged, or keep"
                                + " them in float with a rule");
            }
        }
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
            heads.forEach(one -> code(List.of(one), moments));
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
