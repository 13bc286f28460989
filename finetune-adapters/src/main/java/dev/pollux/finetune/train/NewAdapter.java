package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Parameter.Kind;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.internal.math.FloatMatrix;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/** The parameters of a new adapter. <em>Immutable.</em> */
final class NewAdapter {

    private static final double SCORE_DEVIATION = 0.02;

    private final Trainables trainables;
    private final Residuals residuals;

    private NewAdapter(Trainables trainables, Residuals residuals) {
        this.trainables = trainables;
        this.residuals = residuals;
    }

    Trainables trainables() {
        return trainables;
    }

    /** What the initialization takes out of the matrices. */
    Residuals residuals() {
        return residuals;
    }

    /**
     * Chooses and initializes the changes of a model.
     *
     * @param matrices the names of the matrices that its layers multiply with
     * @throws MalformedFileException if a target matches nothing
     */
    static NewAdapter of(LoraOptions options, TensorFile tensors, Set<String> matrices, long seed) {
        List<String> stored = matrices.stream()
                .filter(name -> tensors.tensors().containsKey(name) && !LayerName.isHead(name))
                .toList();
        if (stored.isEmpty()) {
            throw new UnsupportedModelException(
                    "The matrices of the model are stored in another form than its layers use"
                            + " them, so they cannot be trained; train a model of another family");
        }
        List<String> targets =
                stored.stream().filter(name -> isTarget(options, module(name))).toList();
        options.targets().forEach(target -> requireMatch(target, stored));
        if (targets.isEmpty()) {
            throw new MalformedFileException("No module of the model is a target of " + options.targets() + " without "
                    + options.exclude() + " in the layers " + options.layers() + "; its modules are "
                    + stored.stream().map(name -> last(module(name))).distinct().toList());
        }
        List<LoraModule> modules = new ArrayList<>();
        int index = 0;
        for (String target : targets) {
            modules.add(module(options, tensors, target, new SplittableRandom(seed + 31L * index++)));
        }
        boolean reduced = options.initialization() == LoraOptions.Initialization.PISSA
                || options.initialization() == LoraOptions.Initialization.OLORA;
        return new NewAdapter(
                new Trainables(modules, others(options, tensors, stored, targets), options.dropout()),
                reduced ? new Residuals(modules) : Residuals.NONE);
    }

    private static void requireMatch(String target, List<String> stored) {
        if (!target.equals(LoraOptions.ALL_LINEAR)
                && stored.stream().noneMatch(name -> matches(target, module(name)))) {
            throw new MalformedFileException("The target " + target
                    + " matches no module of the model; its modules are "
                    + stored.stream().map(name -> last(module(name))).distinct().toList());
        }
    }

    private static String module(String tensor) {
        return tensor.endsWith(".weight") ? tensor.substring(0, tensor.length() - ".weight".length()) : tensor;
    }

    private static String last(String module) {
        return module.substring(module.lastIndexOf('.') + 1);
    }

    private static boolean matches(String target, String module) {
        return target.equals(LoraOptions.ALL_LINEAR) || module.equals(target) || module.endsWith("." + target);
    }

    private static boolean isTarget(LoraOptions options, String module) {
        boolean inLayers = options.layers().isEmpty()
                || LayerName.parse(module)
                        .filter(name -> options.layers().contains(name.layer()))
                        .isPresent();
        return inLayers
                && options.targets().stream().anyMatch(target -> matches(target, module))
                && options.exclude().stream().noneMatch(other -> matches(other, module));
    }

    private static <T> T patterned(Map<String, T> pattern, String module, T otherwise) {
        for (Map.Entry<String, T> entry : pattern.entrySet()) {
            if (Pattern.compile("(?:.*\\.)?(?:" + entry.getKey() + ")$")
                    .matcher(module)
                    .matches()) {
                return entry.getValue();
            }
        }
        return otherwise;
    }

    private static LoraModule module(LoraOptions options, TensorFile tensors, String target, SplittableRandom random) {
        TensorInfo info = tensors.info(target);
        int rows = info.dim(0);
        int columns = info.dim(1);
        int wanted = patterned(options.rankPattern(), module(target), options.rank());
        int rank = Math.min(wanted, Math.min(rows, columns));
        double alpha = patterned(options.alphaPattern(), module(target), options.alpha());
        double scale = alpha / (options.rankStabilized() ? Math.sqrt(rank) : rank);
        float[] a = new float[Math.multiplyExact(rank, columns)];
        float[] b = new float[Math.multiplyExact(rows, rank)];
        switch (options.initialization()) {
            case KAIMING -> {
                double bound = 1 / Math.sqrt(columns);
                for (int i = 0; i < a.length; i++) {
                    a[i] = (float) ((2 * random.nextDouble() - 1) * bound);
                }
            }
            case GAUSSIAN -> {
                for (int i = 0; i < a.length; i++) {
                    a[i] = (float) (WeightFactors.gaussian(random) / rank);
                }
            }
            case PISSA ->
                WeightFactors.principal(new FloatMatrix(rows, columns, tensors.floats(target)), rank, scale, a, b);
            case OLORA -> WeightFactors.orthogonal(new FloatMatrix(rows, columns, tensors.floats(target)), rank, a, b);
        }
        List<Long> vector = List.of((long) rows);
        return new LoraModule(
                target,
                scale,
                new Parameter(target, Kind.A, List.of((long) rank, (long) columns), a),
                new Parameter(target, Kind.B, List.of((long) rows, (long) rank), b),
                options.loraBias()
                        ? Optional.of(new Parameter(target, Kind.ADDED_BIAS, vector, new float[rows]))
                        : Optional.empty(),
                options.dora()
                        ? Optional.of(new Parameter(
                                target, Kind.MAGNITUDE, vector, lengths(tensors.floats(target), rows, columns)))
                        : Optional.empty());
    }

    private static float[] lengths(float[] w, int rows, int columns) {
        float[] lengths = new float[rows];
        for (int row = 0; row < rows; row++) {
            double sum = 0;
            for (int i = 0; i < columns; i++) {
                sum += (double) w[row * columns + i] * w[row * columns + i];
            }
            lengths[row] = (float) Math.sqrt(sum);
        }
        return lengths;
    }

    /** A new head of one score, with the first values of transformers. */
    static Parameter score(int width, long seed) {
        SplittableRandom random = new SplittableRandom(seed - 1);
        float[] values = new float[width];
        for (int i = 0; i < width; i++) {
            values[i] = (float) (SCORE_DEVIATION * WeightFactors.gaussian(random));
        }
        return new Parameter(Trainables.SCORE, Kind.WHOLE, List.of(1L, (long) width), values);
    }

    private static List<Parameter> others(
            LoraOptions options, TensorFile tensors, List<String> stored, List<String> targets) {
        List<Parameter> others = new ArrayList<>();
        List<String> biased = switch (options.bias()) {
            case NONE -> List.of();
            case LORA_ONLY -> targets;
            case ALL -> stored;
        };
        for (String matrix : biased) {
            String bias = module(matrix) + ".bias";
            if (tensors.tensors().containsKey(bias)) {
                others.add(new Parameter(bias, Kind.BIAS, tensors.info(bias).shape(), tensors.floats(bias)));
            }
        }
        for (String saved : options.modulesToSave()) {
            if (!saved.equals("lm_head")) {
                throw new UnsupportedModelException(
                        "The module " + saved + " cannot be trained as a whole; only lm_head can");
            }
            String head = tensors.tensors().keySet().stream()
                    .filter(LayerName::isHead)
                    .findFirst()
                    .orElseThrow(() -> new UnsupportedModelException("The head of the model is its embedding, so"
                            + " lm_head cannot be trained as a whole; train linear layers alone"));
            others.add(new Parameter(head, Kind.WHOLE, tensors.info(head).shape(), tensors.floats(head)));
        }
        return others;
    }
}
