package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.MatrixUse.Kind;
import dev.pollux.inference.quantize.ValueReaders.Reader;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Form;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Decides what each weight of a graph becomes. <em>Confined to one thread.</em> */
final class GraphPlanner {

    /*
     * A weight is quantized if every node that reads it has a form with codes; otherwise it would be stored twice. So each weight
     * is looked at with all its readers: the first reader without such a form is the reason to keep the weight in float.
     *
     * Embedding tables and the head have bits of their own. The head is a product that becomes an output of the graph. A product
     * that decides which experts run (its result reaches TopK) stays in float: an error there changes the experts, not a digit.
     *
     * A weight that a branch reads gets symmetric codes: MatMulNBits of ONNX Runtime 1.28 ignores the zero points of weights of the
     * enclosing graph, at every number of bits.
     */

    private static final Set<ElementType> FLOATS = Set.of(ElementType.FLOAT, ElementType.FLOAT16);

    /** Operators that read codes and scales. */
    private static final Set<String> CODED = Set.of(
            "MatMulNBits",
            "GatherBlockQuantized",
            "DequantizeLinear",
            "QuantizeLinear",
            "DynamicQuantizeMatMul",
            "MatMulIntegerToFloat",
            "QLinearMatMul",
            "MatMulBnb4",
            "QMoE");

    private static final int LEAST_BLOCK = 16;

    private final Graph graph;
    private final QuantizationRecipe recipe;
    private final ValueReaders readers;
    private final Set<String> inputs = new HashSet<>();
    private final Set<Rule> matched = new LinkedHashSet<>();
    private final List<MatrixPlan> plans = new ArrayList<>();
    private final List<KeptWeight> kept = new ArrayList<>();

    private GraphPlanner(Graph graph, QuantizationRecipe recipe) {
        this.graph = graph;
        this.recipe = recipe;
        this.readers = new ValueReaders(graph);
        graph.inputs().forEach(input -> inputs.add(input.name()));
    }

    /**
     * Plans a graph.
     *
     * @param source names the graph in messages
     * @throws IllegalArgumentException if nothing can be quantized, a rule matches nothing, or the graph's opset is too old for the
     *     form
     */
    static GraphPlan plan(Graph graph, QuantizationRecipe recipe, String source) {
        GraphPlanner planner = new GraphPlanner(graph, recipe);
        planner.checkOpset(source);
        graph.weights().forEach(planner::plan);
        for (ValueReaders.BranchWeight own : planner.readers.branchWeights()) {
            planner.keepInBranch(own);
        }
        planner.checkRules(source);
        if (planner.plans.isEmpty()) {
            throw new IllegalArgumentException(source + " has no weight to quantize: " + planner.reasons());
        }
        return new GraphPlan(graph, recipe, planner.plans, planner.kept);
    }

    private String reasons() {
        if (kept.isEmpty()) {
            return "no float weight of two dimensions; models that are quantized already cannot be quantized again";
        }
        KeptWeight first = kept.get(0);
        return kept.size() + " float weights stay as they are, such as " + first.name() + ": " + first.reason();
    }

    private void checkOpset(String source) {
        long needed = recipe.bits() == 2 || recipe.headBits() == 2 ? 25 : 21;
        long version = graph.opset("").orElse(0);
        if (recipe.form() == Form.QDQ && recipe.method() != QuantizationMethod.FLOAT16 && version < needed) {
            throw new IllegalArgumentException("The form QDQ needs opset " + needed + " but " + source + " has opset "
                    + version + "; use the form OPERATORS, or export the model with a newer opset");
        }
    }

    private void checkRules(String source) {
        for (Rule rule : recipe.rules()) {
            if (!matched.contains(rule)) {
                throw new IllegalArgumentException("The rule '" + rule.pattern() + "' matches no weight of " + source
                        + " that could be quantized; * stands for any characters, and weights have names such as "
                        + plans.stream()
                                .map(plan -> plan.weight().name())
                                .findFirst()
                                .orElse("none"));
            }
        }
    }

    private void keepInBranch(ValueReaders.BranchWeight own) {
        Value weight = own.weight();
        if (weight.type().isFloating() && weight.shape().rank() > 1) {
            keep(weight, "it belongs to a subgraph of " + own.node().operator());
        }
    }

    private void keep(Value weight, String reason) {
        kept.add(new KeptWeight(
                weight.name(),
                weight.shape().dims().stream().map(dim -> dim.factor()).toList(),
                weight.type().bytes(weight.shape().elements()),
                reason));
    }

    private void plan(Weight weight) {
        boolean floating = weight.type().isFloating() || weight.type() == ElementType.DOUBLE;
        if (!floating || weight.shape().rank() < 2 || weight.elements() < 2 || isScale(weight)) {
            return;
        }
        List<MatrixUse> uses = new ArrayList<>();
        Optional<String> reason = general(weight).or(() -> use(weight, uses));
        Optional<Rule> rule = recipe.rule(names(weight, uses));
        rule.ifPresent(matched::add);
        if (rule.isPresent() && rule.get().bits() == 0 && rule.get().blockSize() == 0) {
            reason = Optional.of("the rule '" + rule.get().pattern() + "' keeps it");
        }
        if (reason.isPresent()) {
            keep(weight.value(), reason.get());
        } else if (recipe.method() == QuantizationMethod.FLOAT16) {
            plans.add(MatrixPlan.half(weight));
        } else {
            quantize(weight, uses, rule);
        }
    }

    /** Whether only operators with codes read it. */
    private boolean isScale(Weight weight) {
        List<Reader> of = readers.of(weight.name());
        return !of.isEmpty()
                && of.stream().allMatch(reader -> CODED.contains(reader.node().operator()));
    }

    private static List<String> names(Weight weight, List<MatrixUse> uses) {
        List<String> names = new ArrayList<>(List.of(weight.name()));
        for (MatrixUse use : uses) {
            names.add(use.node().name());
            names.add(use.node().output(0));
        }
        return names;
    }

    private Optional<String> general(Weight weight) {
        if (inputs.contains(weight.name())) {
            return Optional.of("it is also an input of the graph, so its value may change");
        }
        if (readers.isResult(weight.name())) {
            return Optional.of("it is an output");
        }
        if (readers.of(weight.name()).isEmpty()) {
            return Optional.of("nothing reads it");
        }
        if (recipe.method() == QuantizationMethod.FLOAT16) {
            return weight.type() == ElementType.FLOAT
                    ? Optional.empty()
                    : Optional.of("it has no 32-bit floats but " + weight.type());
        }
        if (!FLOATS.contains(weight.type())) {
            return Optional.of("the kernels have no " + weight.type() + " scales");
        }
        return weight.shape().rank() == 2
                ? Optional.empty()
                : Optional.of(readers.of(weight.name()).get(0).node().operator() + " reads it in "
                        + weight.shape().rank() + " dimensions");
    }

    /** Adds the uses of a weight; returns a reason to keep it. */
    private Optional<String> use(Weight weight, List<MatrixUse> uses) {
        if (recipe.method() == QuantizationMethod.FLOAT16) {
            return Optional.empty();
        }
        for (Reader reader : readers.of(weight.name())) {
            Optional<String> reason = use(reader, uses);
            if (reason.isPresent()) {
                return reason;
            }
        }
        if (uses.stream().map(use -> use.kind().columns()).distinct().count() > 1) {
            return Optional.of("it is read both by rows and by columns");
        }
        if (uses.stream().map(GraphPlanner::factor).distinct().count() > 1) {
            return Optional.of("Gemm nodes with different alpha read it");
        }
        return Optional.empty();
    }

    private static float factor(MatrixUse use) {
        return use.node().operator().equals("Gemm") ? use.node().number("alpha", 1) : 1;
    }

    private Optional<String> use(Reader reader, List<MatrixUse> uses) {
        Node node = reader.node();
        boolean standard = node.domain().isEmpty() || node.domain().equals("ai.onnx");
        return switch (standard ? node.operator() : "") {
            case "MatMul" ->
                reader.input() == 1
                        ? added(uses, new MatrixUse(node, Kind.PRODUCT))
                        : Optional.of("MatMul reads it as its first factor");
            case "Gemm" -> gemm(reader, uses);
            case "Gather" -> gather(reader, uses);
            case "Transpose" -> turned(node, uses);
            default -> Optional.of(node.operator() + " has no form with codes");
        };
    }

    private Optional<String> added(List<MatrixUse> uses, MatrixUse use) {
        if (use.kind().lookup() && recipe.form() == Form.QDQ) {
            return Optional.of("Gather has no QDQ form that keeps the table in codes");
        }
        if (!use.kind().lookup() && readers.reaches(use.node().output(0), "TopK")) {
            return Optional.of("it chooses experts");
        }
        uses.add(use);
        return Optional.empty();
    }

    private Optional<String> gemm(Reader reader, List<MatrixUse> uses) {
        Node node = reader.node();
        if (reader.input() != 1) {
            return Optional.of("Gemm reads it as its " + (reader.input() == 0 ? "first factor" : "bias"));
        }
        if (node.integer("transA", 0) != 0) {
            return Optional.of("Gemm turns its first factor (transA)");
        }
        if (!node.input(2).isEmpty() && node.number("beta", 1) != 1) {
            return Optional.of("Gemm scales its bias (beta)");
        }
        if (recipe.form() == Form.QDQ) {
            return Optional.of("Gemm has no QDQ form");
        }
        return added(uses, new MatrixUse(node, node.integer("transB", 0) == 0 ? Kind.GEMM : Kind.TURNED_GEMM));
    }

    private Optional<String> gather(Reader reader, List<MatrixUse> uses) {
        Node node = reader.node();
        if (reader.input() != 0) {
            return Optional.of("Gather reads it as its ids");
        }
        if (node.integer("axis", 0) == 0) {
            return added(uses, new MatrixUse(node, Kind.LOOKUP));
        }
        List<Reader> next = readers.of(node.output(0)); // (K, batch, ids), then turned to (batch, ids, K)
        boolean turned = next.size() == 1
                && next.get(0).node().operator().equals("Transpose")
                && next.get(0).node().integers("perm").equals(List.of(1L, 2L, 0L));
        return turned && !readers.isResult(node.output(0))
                ? added(uses, new MatrixUse(next.get(0).node(), node, Kind.TURNED_LOOKUP))
                : Optional.of("Gather reads it on axis " + node.integer("axis", 0));
    }

    private Optional<String> turned(Node node, List<MatrixUse> uses) {
        List<Long> order = node.integers("perm");
        if (!order.isEmpty() && !order.equals(List.of(1L, 0L)) || readers.isResult(node.output(0))) {
            return Optional.of("Transpose reads it, and its result is not only a factor of products");
        }
        for (Reader next : readers.of(node.output(0))) {
            if (!next.node().operator().equals("MatMul") || next.input() != 1) {
                return Optional.of("Transpose reads it, and its result is not only a factor of products");
            }
            Optional<String> reason = added(uses, new MatrixUse(next.node(), node, Kind.TURNED_PRODUCT));
            if (reason.isPresent()) {
                return reason;
            }
        }
        return Optional.empty();
    }

    private void quantize(Weight weight, List<MatrixUse> uses, Optional<Rule> rule) {
        boolean head = uses.stream()
                .anyMatch(use ->
                        use.kind().lookup() || readers.reachesOutput(use.node().output(0)));
        int bits =
                rule.filter(found -> found.bits() > 0).map(Rule::bits).orElse(head ? recipe.headBits() : recipe.bits());
        if (bits == 0) {
            keep(weight.value(), "embedding tables and the head stay in float (headBits 0)");
            return;
        }
        int block =
                rule.filter(found -> found.blockSize() > 0).map(Rule::blockSize).orElse(recipe.blockSize());
        QuantizationMethod method = recipe.method();
        boolean symmetric = recipe.symmetric()
                || method == QuantizationMethod.LEAST_SQUARES
                || readers.of(weight.name()).stream().anyMatch(Reader::inBranch);
        boolean table = uses.stream().anyMatch(use -> use.kind().lookup());
        if (method.runsLayerByLayer() && table) {
            method = QuantizationMethod.SEARCH; // a lookup has no inputs
        }
        if (symmetric && method != QuantizationMethod.ROUND_TO_NEAREST && !method.runsLayerByLayer()) {
            method = QuantizationMethod.LEAST_SQUARES;
        }
        boolean half = weight.type() == ElementType.FLOAT16;
        BlockFormat format = new BlockFormat(bits, block(weight, uses, block), half);
        MatrixPlan plan = new MatrixPlan(weight, uses, method, format, symmetric, factor(uses.get(0)));
        Optional<String> reason = unfit(plan);
        if (reason.isPresent()) {
            keep(weight.value(), reason.get());
        } else {
            plans.add(plan);
        }
    }

    /** The block size of a table divides its rows, so that a product may share the codes. */
    private static int block(Weight weight, List<MatrixUse> uses, int wanted) {
        long columns = weight.shape().size(uses.get(0).kind().columns() ? 0 : 1);
        int block = wanted;
        while (uses.stream().anyMatch(use -> use.kind().lookup()) && block > LEAST_BLOCK && columns % block != 0) {
            block /= 2;
        }
        return block;
    }

    private static Optional<String> unfit(MatrixPlan plan) {
        int columns = plan.columns();
        if (plan.isShared() && columns % plan.format().blockSize() != 0) {
            return Optional.of("its rows of " + columns
                    + " weights are no whole number of blocks, which a table that is also" + " a factor needs");
        }
        if (plan.isTable() && columns * plan.format().bits() % 8 != 0) {
            return Optional.of("its rows of " + columns + " codes are no whole number of bytes");
        }
        return plan.bytesAfter() < plan.weight().bytes()
                ? Optional.empty()
                : Optional.of("its codes would be no smaller");
    }
}
