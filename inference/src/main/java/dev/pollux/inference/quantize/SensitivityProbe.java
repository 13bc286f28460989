package dev.pollux.inference.quantize;

import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.Workers;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures how much a decoder loses by fewer bits in each of its matrices. Memory contains all its weights as 32-bit floats.
 * <em>Thread-safe.</em>
 */
public final class SensitivityProbe {

    /*
     * Matrices that multiply the same input (queries, keys and values; gate and up) are one group, and so are the experts of a layer.
     * The float model runs with its matrices as inputs of the graph. For each group in turn the matrices are rounded to nearest in
     * REFERENCE forms, the model reads the text, and the mean KL to the unchanged model is the loss. No session is opened twice.
     *
     * Around the original the KL is a quadratic form of the change of the weights, so for another form with the relative error e the
     * loss is KL(reference) · e² / e(reference)². Errors of other forms, with the recipe's own method, come from a sample of the rows.
     * 2 bits are too far from the original for that; where they are candidates they have a reference of their own.
     *
     * Changes of different groups add up to more or less than their sum. One run with all groups rounded gives the ratio.
     */

    /** Candidates with a fast kernel: bits and block size. */
    private static final List<Candidate> CANDIDATES = List.of(
            new Candidate(2, 64),
            new Candidate(2, 32),
            new Candidate(4, 128),
            new Candidate(4, 64),
            new Candidate(4, 32),
            new Candidate(8, 128),
            new Candidate(8, 32));

    private static final Candidate REFERENCE = new Candidate(4, 32);
    private static final Candidate COARSE_REFERENCE = new Candidate(2, 64);
    private static final int SAMPLED_ROWS = 64;

    private final QuantizerOptions options;

    private SensitivityProbe(QuantizerOptions options) {
        this.options = options;
    }

    private record Candidate(int bits, int blockSize) {}

    /** A probe that runs the model with the threads of {@code options}. */
    public static SensitivityProbe of(QuantizerOptions options) {
        return new SensitivityProbe(options);
    }

    /**
     * Measures a model.
     *
     * @param model a checkpoint, an exported folder with float weights, or an ONNX decoder
     * @param recipe the method and the rules; matrices that a rule matches keep its form. Its bits and block size are not used
     * @param text at least 64 tokens; two windows of 64 tokens are read
     * @param coarse whether 2 bits are candidates, which doubles the time
     * @return a job that reports groups; running it throws {@link UnsupportedModelException} if the model is no decoder, and
     *     {@link IllegalArgumentException} if the text is too short or the recipe has no blocks
     */
    public Job<Sensitivity> measure(Path model, QuantizationRecipe recipe, String text, boolean coarse) {
        return Job.of("measure", context -> {
            check(recipe);
            try (SourceModel source = SourceModel.open(model)) {
                if (source.kind() != ArtifactManifest.Kind.DECODER && !ProbeSession.isDecoder(model)) {
                    throw new UnsupportedModelException("A budget needs a decoder, whose KL can be measured, but "
                            + model + " is none; choose bits with --bits, or with rules");
                }
                return measured(source, model, new Request(recipe, text, coarse), context);
            }
        });
    }

    private record Request(QuantizationRecipe recipe, String text, boolean coarse) {}

    private static void check(QuantizationRecipe recipe) {
        if (recipe.method() == QuantizationMethod.FLOAT16 || recipe.method().isInteger()) {
            throw new IllegalArgumentException("A budget needs a method with blocks but the method was "
                    + recipe.method().text() + "; use search or rtn");
        }
        if (recipe.form() == QuantizationRecipe.Form.QDQ) {
            throw new IllegalArgumentException(
                    "A budget needs the form OPERATORS but the form was QDQ; choose bits with rules instead");
        }
        if (!recipe.int8Activations()) {
            throw new IllegalArgumentException(
                    "A budget needs int8Activations, since it chooses among 2, 4 and 8 bits; choose bits with rules instead");
        }
    }

    private Sensitivity measured(SourceModel source, Path model, Request request, JobContext context) {
        Map<Candidate, Map<String, MatrixPlan>> plans = new LinkedHashMap<>();
        GraphPlan base = GraphPlanner.plan(source.graph(), request.recipe(), model.toString());
        for (Candidate candidate : CANDIDATES) {
            if (candidate.bits() > 2 || request.coarse()) {
                plans.put(candidate, plans(source, request.recipe(), candidate, model));
            }
        }
        List<Group> groups = groups(base, plans);
        if (groups.isEmpty()) {
            throw new IllegalArgumentException(
                    "No matrix of " + model + " is free of rules, so a budget has nothing to choose; remove a rule");
        }
        List<MatrixPlan> all = groups.stream()
                .flatMap(group -> group.plans(REFERENCE).stream())
                .toList();
        try (Workers workers = Workers.start("measure", options.threads(), context);
                ProbeSession session = ProbeSession.open(source, model, all, options.threads(), context)) {
            QuantizationRun run = new QuantizationRun(
                    context.withoutProgress(), workers, options.threads(), options.memory(), 1, new AtomicLong());
            int tokens = session.read(request.text(), workers);
            List<PrecisionCurve> curves = new ArrayList<>();
            double sum = 0;
            for (int i = 0; i < groups.size(); i++) {
                context.progress("measure", i, groups.size(), "groups");
                Measured measured = measure(groups.get(i), session, request.recipe(), run);
                sum += measured.reference();
                curves.add(
                        PrecisionCurve.of(groups.get(i).names(), groups.get(i).elements(), measured.forms()));
            }
            double together = together(all, session, run, sum);
            context.progress("measure", groups.size(), groups.size(), "groups");
            return new Sensitivity(request.recipe(), curves, rest(base, groups), together, tokens);
        }
    }

    /** Rounds all groups; the ratio is limited, since a sum of tiny losses says little. */
    private static double together(List<MatrixPlan> all, ProbeSession session, QuantizationRun run, double sum) {
        all.forEach(plan -> session.round(rounding(plan), run));
        double whole = session.divergence(run.workers());
        return sum > 0 && whole > 0 ? Math.max(0.25, Math.min(4, whole / sum)) : 1;
    }

    /** Bytes of everything that has no choice, and of the gaps before weights. */
    private static long rest(GraphPlan base, List<Group> groups) {
        long chosen = 0;
        long gaps = 0;
        for (Group group : groups) {
            for (MatrixPlan plan : group.plans(REFERENCE)) {
                chosen += plan.weight().bytes();
            }
            gaps += group.forms().values().stream()
                    .mapToLong(plans ->
                            plans.stream().mapToLong(SensitivityProbe::gaps).sum())
                    .max()
                    .orElse(0);
        }
        long ruled = 0;
        for (MatrixPlan plan : base.plans()) {
            if (groups.stream()
                    .noneMatch(group -> group.names().contains(plan.weight().name()))) {
                ruled += plan.bytesAfter() - plan.weight().bytes();
            }
        }
        return base.bytesBefore() - chosen + ruled + gaps;
    }

    /** Bytes before codes, scales and zero points in a file of external data, at most. */
    private static long gaps(MatrixPlan plan) {
        long codes = (long) plan.rows() * plan.rowBytes();
        long scales = (long) plan.rows() * plan.blocks() * plan.scaleType().bytes();
        long zeros = plan.symmetric() ? 0 : plan.bytesAfter() - codes - scales;
        return GraphWriter.mostGap(codes) + GraphWriter.mostGap(scales) + (zeros == 0 ? 0 : GraphWriter.mostGap(zeros));
    }

    private static Map<String, MatrixPlan> plans(
            SourceModel source, QuantizationRecipe recipe, Candidate candidate, Path model) {
        QuantizationRecipe uniform = recipe.toBuilder()
                .bits(candidate.bits())
                .headBits(recipe.headBits() == 0 ? 0 : Math.max(4, candidate.bits()))
                .blockSize(candidate.blockSize())
                .build();
        Map<String, MatrixPlan> plans = new LinkedHashMap<>();
        GraphPlanner.plan(source.graph(), uniform, model.toString())
                .plans()
                .forEach(plan -> plans.put(plan.weight().name(), plan));
        return plans;
    }

    /** Matrices that get one form. */
    private record Group(List<String> names, Map<Candidate, List<MatrixPlan>> forms) {

        List<MatrixPlan> plans(Candidate candidate) {
            return Objects.requireNonNull(forms.get(candidate));
        }

        long elements() {
            return plans(REFERENCE).stream()
                    .mapToLong(plan -> plan.weight().elements())
                    .sum();
        }
    }

    private static List<Group> groups(GraphPlan base, Map<Candidate, Map<String, MatrixPlan>> plans) {
        Map<String, List<String>> names = new LinkedHashMap<>();
        for (MatrixPlan plan : base.plans()) {
            List<String> known = new ArrayList<>(List.of(plan.weight().name()));
            plan.uses()
                    .forEach(use ->
                            known.addAll(List.of(use.node().name(), use.node().output(0))));
            if (base.recipe().rule(known).isEmpty()) {
                names.computeIfAbsent(key(plan), key -> new ArrayList<>())
                        .add(plan.weight().name());
            }
        }
        List<Group> groups = new ArrayList<>();
        for (List<String> members : names.values()) {
            Map<Candidate, List<MatrixPlan>> forms = new LinkedHashMap<>();
            plans.forEach((candidate, made) -> {
                List<MatrixPlan> all = members.stream()
                        .flatMap(name -> Optional.ofNullable(made.get(name)).stream())
                        .toList();
                if (all.size() == members.size()) {
                    forms.put(candidate, all);
                }
            });
            if (forms.containsKey(REFERENCE)) {
                groups.add(new Group(members, forms));
            }
        }
        return groups;
    }

    /** The input that a matrix multiplies; the experts of a layer are one group. */
    private static String key(MatrixPlan plan) {
        String name = plan.weight().name();
        if (name.contains("expert")) {
            return name.replaceAll("(expert[^.]*\\.)\\d+", "$1*");
        }
        return plan.uses().stream()
                .filter(use -> !use.kind().lookup())
                .map(use -> use.node().input(0))
                .findFirst()
                .orElse(name);
    }

    /** @param reference the loss in the reference form */
    private record Measured(List<PrecisionCurve.Form> forms, double reference) {}

    private static Measured measure(Group group, ProbeSession session, QuantizationRecipe recipe, QuantizationRun run) {
        Map<Integer, Double> perError = new LinkedHashMap<>(); // by bits, KL ÷ squared error of the reference
        double fine = loss(group, REFERENCE, session, run, perError);
        if (group.forms().containsKey(COARSE_REFERENCE)) {
            loss(group, COARSE_REFERENCE, session, run, perError);
        }
        List<PrecisionCurve.Form> forms = new ArrayList<>();
        group.forms().forEach((candidate, plans) -> {
            double error = 0;
            long bytes = 0;
            for (MatrixPlan plan : plans) {
                error += session.squaredNorm(plan)
                        * new MatrixCoding(plan, recipe, run).sampledSquaredError(SAMPLED_ROWS);
                bytes += plan.bytesAfter();
            }
            double each = perError.getOrDefault(candidate.bits(), perError.getOrDefault(REFERENCE.bits(), 0.0));
            MatrixPlan first = plans.get(0);
            forms.add(new PrecisionCurve.Form(first.format().bits(), candidate.blockSize(), bytes, each * error));
        });
        return new Measured(forms, fine);
    }

    private static double loss(
            Group group,
            Candidate reference,
            ProbeSession session,
            QuantizationRun run,
            Map<Integer, Double> perError) {
        double error = 0;
        for (MatrixPlan plan : group.plans(reference)) {
            error += session.squaredNorm(plan) * session.round(rounding(plan), run);
        }
        double kl = session.divergence(run.workers());
        session.restore();
        perError.put(reference.bits(), error == 0 ? 0 : kl / error);
        return kl;
    }

    /** The same form with the fastest method. */
    private static MatrixPlan rounding(MatrixPlan plan) {
        return new MatrixPlan(
                plan.weight(),
                plan.uses(),
                QuantizationMethod.ROUND_TO_NEAREST,
                plan.format(),
                plan.symmetric(),
                plan.factor());
    }
}
