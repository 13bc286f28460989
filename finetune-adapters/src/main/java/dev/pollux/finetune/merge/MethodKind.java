package dev.pollux.finetune.merge;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;

/** The merge methods by their names in plans, with their parameters, number of models and role of the base. */
enum MethodKind {
    LINEAR(
            "linear",
            Base.INPUT,
            Count.atLeast(1),
            Heights.COMMON,
            List.of(Parameter.of("normalize", 1)),
            List.of(Parameter.required("weight")),
            a -> new Linear(a.perModel("weight"), a.flag("normalize"))),
    SLERP(
            "slerp",
            Base.END,
            Count.exactly(2),
            Heights.COMMON,
            List.of(Parameter.required("t")),
            List.of(),
            a -> new Slerp(a.global("t"))),
    NUSLERP(
            "nuslerp",
            Base.OPTIONAL,
            Count.exactly(2),
            Heights.COMMON,
            List.of(Parameter.of("nuslerp_flatten", 1), Parameter.of("nuslerp_row_wise", 0)),
            List.of(Parameter.required("weight")),
            a -> new NuSlerp(a.perModel("weight").get(0), a.perModel("weight").get(1), along(a), a.hasBase())),
    MULTISLERP(
            "multislerp",
            Base.OPTIONAL,
            Count.atLeast(2),
            Heights.EQUAL,
            List.of(Parameter.of("normalize_weights", 1), Parameter.of("eps", 1e-8)),
            List.of(Parameter.required("weight")),
            a -> new MultiSlerp(a.perModel("weight"), a.flag("normalize_weights"), a.global("eps"), a.hasBase())),
    KARCHER(
            "karcher",
            Base.INPUT,
            Count.atLeast(2),
            Heights.EQUAL,
            List.of(Parameter.of("max_iter", 10), Parameter.of("tol", 1e-5)),
            List.of(),
            a -> new Karcher((int) a.global("max_iter"), a.global("tol"))),
    TASK_ARITHMETIC(
            "task_arithmetic",
            Task.of(false, false, false),
            a -> new TaskArithmetic(a.perModel("weight"), sum(a, false))),
    TIES("ties", Task.of(true, false, false), a -> new Ties(a.perModel("weight"), a.perModel("density"), sum(a, true))),
    DARE_LINEAR(
            "dare_linear",
            Task.of(false, true, false),
            a -> new Dare(a.perModel("weight"), a.perModel("density"), sum(a, false))),
    DARE_TIES(
            "dare_ties",
            Task.of(false, true, false),
            a -> new Dare(a.perModel("weight"), a.perModel("density"), sum(a, true))),
    DELLA("della", Task.of(true, true, true), a -> della(a, true)),
    DELLA_LINEAR("della_linear", Task.of(false, true, true), a -> della(a, false)),
    BREADCRUMBS(
            "breadcrumbs", Task.of(false, false, false).with(Parameter.of("gamma", 0.01)), a -> breadcrumbs(a, false)),
    BREADCRUMBS_TIES(
            "breadcrumbs_ties",
            Task.of(false, false, false).with(Parameter.of("gamma", 0.01)),
            a -> breadcrumbs(a, true)),
    SCE(
            "sce",
            Base.REQUIRED,
            Count.atLeast(1),
            Heights.EQUAL,
            List.of(Parameter.of("int8_mask", 0), Parameter.of("select_topk", 1)),
            List.of(),
            a -> new Sce(a.global("select_topk"))),
    RAM(
            "ram",
            Base.REQUIRED,
            Count.atLeast(1),
            Heights.EQUAL,
            List.of(Parameter.of("epsilon", 1e-5)),
            List.of(),
            a -> new Ram(a.global("epsilon"), 0, 0)),
    RAM_PLUS(
            "ramplus_tl",
            Base.REQUIRED,
            Count.atLeast(1),
            Heights.EQUAL,
            List.of(Parameter.of("r", 0.1), Parameter.of("alpha", 0.2), Parameter.of("epsilon", 1e-5)),
            List.of(),
            a -> new Ram(a.global("epsilon"), a.global("r"), a.global("alpha"))),
    MODEL_STOCK(
            "model_stock",
            Base.REQUIRED,
            Count.atLeast(2),
            Heights.COMMON,
            List.of(Parameter.of("filter_wise", 0)),
            List.of(),
            a -> new ModelStock(a.flag("filter_wise"))),
    NEARSWAP(
            "nearswap",
            Base.REQUIRED,
            Count.exactly(1),
            Heights.EQUAL,
            List.of(Parameter.required("t")),
            List.of(),
            a -> new NearSwap(a.global("t"))),
    ARCEE_FUSION(
            "arcee_fusion",
            Base.REQUIRED,
            Count.exactly(1),
            Heights.COMMON,
            List.of(),
            List.of(),
            a -> new ArceeFusion()),
    FISHER(
            "fisher",
            Base.INPUT,
            Count.atLeast(1),
            Heights.EQUAL,
            List.of(Parameter.of("epsilon", 1e-10)),
            List.of(Parameter.of("weight", 1)),
            a -> new Fisher(a.perModel("weight"), a.global("epsilon"))),
    REGMEAN(
            "regmean",
            Base.INPUT,
            Count.atLeast(1),
            Heights.EQUAL,
            List.of(Parameter.of("alpha", 0.9)),
            List.of(Parameter.of("weight", 1)),
            a -> new RegMean(a.perModel("weight"), a.global("alpha"), i -> new float[0])),
    PASSTHROUGH(
            "passthrough",
            Base.INPUT,
            Count.exactly(1),
            Heights.COMMON,
            List.of(),
            List.of(Parameter.of("scale", 1)),
            a -> new Passthrough(a.perModel("scale").get(0)));

    /** The role of the base in a method. */
    enum Base {
        /** An ordinary model. */
        INPUT,
        /** The first end point of an interpolation. */
        END,
        /** The subtrahend of the differences, if there is a base. */
        OPTIONAL,
        /** The subtrahend of the differences. */
        REQUIRED
    }

    /** The treatment of embeddings with different numbers of rows if there is no tokenizer section. */
    enum Heights {
        /** The rows that all models have. */
        COMMON,
        /** As many rows as the base has. */
        BASE,
        /** Different numbers of rows are an error. */
        EQUAL
    }

    private final String label;
    private final Base base;
    private final Count count;
    private final Heights heights;
    private final List<Parameter> globals;
    private final List<Parameter> perModel;
    private final Function<Arguments, MergeMethod> factory;

    MethodKind(
            String label,
            Base base,
            Count count,
            Heights heights,
            List<Parameter> globals,
            List<Parameter> perModel,
            Function<Arguments, MergeMethod> factory) {
        this.label = label;
        this.base = base;
        this.count = count;
        this.heights = heights;
        this.globals = globals;
        this.perModel = perModel;
        this.factory = factory;
    }

    MethodKind(String label, Task task, Function<Arguments, MergeMethod> factory) {
        this(label, Base.REQUIRED, Count.atLeast(1), Heights.BASE, task.globals(), task.perModel(), factory);
    }

    static Optional<MethodKind> named(String label) {
        return Arrays.stream(values()).filter(kind -> kind.label.equals(label)).findFirst();
    }

    static List<String> names() {
        return Arrays.stream(values()).map(kind -> kind.label).toList();
    }

    /** Whether any method has a parameter of this name. */
    static boolean knowsParameter(String name) {
        return Arrays.stream(values())
                .flatMap(MethodKind::parameters)
                .anyMatch(parameter -> parameter.name().equals(name));
    }

    String label() {
        return label;
    }

    Base base() {
        return base;
    }

    /** The number of models. The base counts only if its role is {@link Base#INPUT} or {@link Base#END}. */
    Count count() {
        return count;
    }

    Heights heights() {
        return heights;
    }

    /** Whether the method skips a model for a tensor whose shape differs from the base's. */
    boolean skipsOtherShapes() {
        return heights == Heights.BASE;
    }

    /** Whether the method reads statistics from files in the models' folders. */
    boolean hasStatistics() {
        return this == FISHER || this == REGMEAN;
    }

    List<Parameter> globals() {
        return globals;
    }

    List<Parameter> perModel() {
        return perModel;
    }

    Stream<Parameter> parameters() {
        return Stream.concat(globals.stream(), perModel.stream());
    }

    /**
     * The method with parameters for one tensor.
     *
     * @throws IllegalArgumentException if a parameter is out of range
     */
    MergeMethod with(Arguments arguments) {
        return factory.apply(arguments);
    }

    private static NuSlerp.Along along(Arguments a) {
        if (a.flag("nuslerp_flatten")) {
            return NuSlerp.Along.TENSOR;
        }
        return a.flag("nuslerp_row_wise") ? NuSlerp.Along.COLUMNS : NuSlerp.Along.ROWS;
    }

    private static TaskSum sum(Arguments a, boolean elect) {
        return new TaskSum(elect, a.flag("normalize"), a.global("lambda"), a.flag("rescale"));
    }

    private static MergeMethod della(Arguments a, boolean elect) {
        return new Della(a.perModel("weight"), a.perModel("density"), a.perModel("epsilon"), sum(a, elect));
    }

    private static MergeMethod breadcrumbs(Arguments a, boolean elect) {
        return new Breadcrumbs(
                a.perModel("weight"), a.perModel("density"), a.perModel("gamma"), sum(a, elect), a.likeReference());
    }

    /**
     * A parameter of a method.
     *
     * @param fallback the default; empty if the parameter is required
     */
    record Parameter(String name, OptionalDouble fallback) {
        static Parameter required(String name) {
            return new Parameter(name, OptionalDouble.empty());
        }

        static Parameter of(String name, double fallback) {
            return new Parameter(name, OptionalDouble.of(fallback));
        }
    }

    /** The range of the number of models. */
    record Count(int least, int most) {
        static Count atLeast(int least) {
            return new Count(least, Integer.MAX_VALUE);
        }

        static Count exactly(int number) {
            return new Count(number, number);
        }

        boolean allows(int number) {
            return number >= least && number <= most;
        }

        @Override
        public String toString() {
            List<String> words = List.of("no", "one", "two", "three");
            return words.get(least) + (least == most ? "" : " or more") + (most == 1 ? " model" : " models");
        }
    }

    /** The parameters of the methods on differences. Their defaults vary by method. */
    record Task(List<Parameter> globals, List<Parameter> perModel) {
        static Task of(boolean normalize, boolean rescale, boolean epsilon) {
            Task task = new Task(
                    List.of(
                            Parameter.of("normalize", normalize ? 1 : 0),
                            Parameter.of("lambda", 1),
                            Parameter.of("rescale", rescale ? 1 : 0),
                            Parameter.of("int8_mask", 0)),
                    List.of(Parameter.required("weight"), Parameter.of("density", 1)));
            return epsilon ? task.with(Parameter.of("epsilon", 0.15)) : task;
        }

        Task with(Parameter parameter) {
            return new Task(
                    globals,
                    Stream.concat(perModel.stream(), Stream.of(parameter)).toList());
        }
    }

    /**
     * The parameters of one tensor. <em>Immutable.</em>
     *
     * @param globals the parameters of the method
     * @param perModel for each name, a value per model without the base
     * @param hasBase whether there is a base for the differences
     * @param likeReference whether to reproduce mergekit including its defects
     */
    record Arguments(
            Map<String, Double> globals, Map<String, List<Double>> perModel, boolean hasBase, boolean likeReference) {

        Arguments {
            globals = Map.copyOf(globals);
            perModel = Map.copyOf(perModel);
        }

        double global(String name) {
            return Objects.requireNonNull(globals.get(name), name);
        }

        List<Double> perModel(String name) {
            return Objects.requireNonNull(perModel.get(name), name);
        }

        boolean flag(String name) {
            return global(name) != 0;
        }
    }
}
