package dev.pollux.finetune.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.finetune.adapter.ExtractionLayout.Factored;
import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.inference.adapter.LoraWriter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.internal.math.FloatMatrix;
import dev.pollux.internal.math.LowRank;
import dev.pollux.internal.math.Orthonormal;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

/** Factors the matrices of a layout on several threads and writes them in order. <em>For one run.</em> */
final class ExtractionRun {

    private static final int WINDOW = 1 << 18;

    private final ExtractionLayout layout;
    private final LoraExtractionOptions options;
    private final String base;
    private final JobContext context;
    private final List<LoraExtractionReport.Matrix> done = new ArrayList<>();

    ExtractionRun(ExtractionLayout layout, LoraExtractionOptions options, String base, JobContext context) {
        this.layout = layout;
        this.options = options;
        this.base = base;
        this.context = context;
    }

    /** A factored matrix with the change of its bias; empty without a bias. */
    private record Result(Factored matrix, LowRank factors, float[] bias) {}

    /** @param inputs not hashed yet */
    LoraExtractionReport run(Path target, InputHashes inputs) {
        long begin = System.nanoTime();
        return WorkFolder.publish(target, "lora extraction", context, work -> {
            inputs.all(context);
            long bytes = write(work.path());
            manifest(inputs).write(work.path());
            return new LoraExtractionReport(
                    target,
                    done,
                    layout.whole().stream().map(ExtractionLayout.Whole::tensor).toList(),
                    layout.left(),
                    relativeError(),
                    bytes,
                    Duration.ofNanos(System.nanoTime() - begin));
        });
    }

    /** The inputs and options that determine the adapter's bytes, and the approximation error. */
    private ArtifactManifest manifest(InputHashes inputs) {
        return ArtifactManifest.builder(ArtifactManifest.Kind.ADAPTER, "extract-lora")
                .inputs(inputs.inputs())
                .option("rank", options.rank())
                .option("epsilon", options.epsilon())
                .option("keptEnergy", options.keptEnergy())
                .option("include", options.include())
                .option("exclude", options.exclude())
                .option("embeddings", options.embeddings())
                .option("wholeOthers", options.wholeOthers())
                .option("distributeScale", options.distributeScale())
                .option("alpha", options.alpha().isPresent() ? options.alpha().getAsDouble() : "")
                .score("relativeError", relativeError())
                .build();
    }

    private double relativeError() {
        double all = 0;
        double lost = 0;
        for (LoraExtractionReport.Matrix matrix : done) {
            double square = matrix.norm() * matrix.norm();
            all += square;
            lost += square * matrix.relativeError() * matrix.relativeError();
        }
        return all == 0 ? 0 : Math.sqrt(lost / all);
    }

    private long write(Path folder) {
        List<String> matrices =
                layout.linears().stream().map(ExtractionRun::tensor).toList();
        List<String> whole =
                layout.whole().stream().map(ExtractionLayout.Whole::tensor).toList();
        try (LoraWriter out = LoraWriter.create(folder, matrices, whole)) {
            factorAll(out);
            for (ExtractionLayout.Whole tensor : layout.whole()) {
                context.checkCancelled();
                out.whole(tensor.tensor(), tensor.type(), tensor.source());
            }
            out.finish(settings()).forEach(context::notice);
            return out.bytes();
        }
    }

    private static String tensor(Factored matrix) {
        return matrix.module() + ".weight";
    }

    private PeftConfig settings() {
        TreeSet<String> targets = new TreeSet<>();
        TreeSet<String> untouched = new TreeSet<>();
        for (LoraExtractionReport.Matrix matrix : done) {
            if (matrix.rank() > 0) {
                targets.add(last(matrix.module()));
            } else {
                untouched.add(matrix.module());
            }
        }
        layout.left().stream()
                .filter(tensor -> tensor.endsWith(".weight"))
                .forEach(tensor -> untouched.add(tensor.substring(0, tensor.length() - ".weight".length())));
        untouched.removeIf(module -> !targets.contains(last(module)));
        TreeSet<String> saved = new TreeSet<>();
        layout.whole().forEach(tensor -> saved.add(last(tensor.module())));
        PeftConfig.Builder settings = PeftConfig.builder()
                .baseModel(base)
                .set("inference_mode", true)
                .set("use_rslora", false)
                .dropout(0)
                .set("fan_in_fan_out", false)
                .set("bias", "none")
                .targetModules(targets)
                .modulesToSave(saved);
        return (untouched.isEmpty() ? settings : settings.excludeModules(untouched)).build();
    }

    private static String last(String module) {
        return module.substring(module.lastIndexOf('.') + 1);
    }

    private void factorAll(LoraWriter file) {
        int threads = threads();
        try (Workers workers = Workers.start("extraction", threads, context)) {
            Deque<Future<Result>> waiting = new ArrayDeque<>();
            Iterator<Factored> next = layout.linears().iterator();
            while (next.hasNext() || !waiting.isEmpty()) {
                while (next.hasNext() && waiting.size() < threads + 1) {
                    Factored matrix = next.next();
                    waiting.add(workers.submit(() -> factor(matrix, workers)));
                }
                put(file, workers.await(waiting.remove(), this::report));
                report();
            }
        }
    }

    private void report() {
        context.progress("extract", done.size(), layout.linears().size(), "matrices");
    }

    private int threads() {
        long largest = layout.linears().stream()
                .mapToLong(matrix -> matrix.base().elements())
                .max()
                .orElse(1);
        return (int) Math.max(1, Math.min(options.threads(), options.memory() / (16 * largest)));
    }

    private Result factor(Factored matrix, Workers workers) {
        FloatMatrix difference = difference(matrix, workers::isStopped);
        int most = Math.min(options.rank(), Math.min(difference.rows(), difference.columns()));
        LowRank factors = LowRank.of(difference, most, this::rank, workers::isStopped);
        return new Result(matrix, factors, bias(matrix));
    }

    private int rank(double[] values, double squares) {
        if (squares == 0) {
            return 0;
        }
        int rank = 0;
        double sum = 0;
        while (rank < values.length
                && (options.epsilon() == 0 || values[rank] > options.epsilon())
                && (options.keptEnergy() == 1 || sum < options.keptEnergy() * squares)) {
            sum += values[rank] * values[rank];
            rank++;
        }
        return rank;
    }

    private FloatMatrix difference(Factored matrix, BooleanSupplier stopped) {
        TensorSource before = matrix.base().ready();
        TensorSource after = matrix.tuned().ready();
        float[] values = new float[Math.toIntExact(before.elements())];
        float[] some = new float[Math.min(WINDOW, values.length)];
        for (int at = 0; at < values.length; at += WINDOW) {
            Orthonormal.check(stopped);
            int count = Math.min(WINDOW, values.length - at);
            before.read(at, count, some, 0);
            after.read(at, count, values, at);
            for (int i = 0; i < count; i++) {
                values[at + i] -= some[i];
                if (!Float.isFinite(values[at + i])) {
                    throw new MalformedFileException("Cannot factor " + matrix.module()
                            + ".weight: the difference holds numbers that are not finite");
                }
            }
        }
        return matrix.embedding()
                ? new FloatMatrix(matrix.columns(), matrix.rows(), values).transposed()
                : new FloatMatrix(matrix.rows(), matrix.columns(), values);
    }

    private static float[] bias(Factored matrix) {
        if (matrix.bias().isEmpty()) {
            return new float[0];
        }
        TensorSource before = matrix.bias().get().base().ready();
        TensorSource after = matrix.bias().get().tuned().ready();
        int length = Math.toIntExact(after.elements());
        if (before.elements() != length || length != matrix.rows()) {
            throw new MalformedFileException("the biases of " + matrix.module() + " must have " + matrix.rows()
                    + " elements but have " + before.elements() + " and " + length);
        }
        float[] values = new float[length];
        float[] subtracted = new float[length];
        after.read(0, length, values, 0);
        before.read(0, length, subtracted, 0);
        boolean changed = false;
        for (int i = 0; i < length; i++) {
            values[i] -= subtracted[i];
            changed |= values[i] != 0;
        }
        return changed ? values : new float[0];
    }

    private void put(LoraWriter file, Result result) {
        LowRank factors = result.factors();
        int rank = factors.values().length;
        List<Double> values = java.util.Arrays.stream(factors.values()).boxed().toList();
        done.add(new LoraExtractionReport.Matrix(
                result.matrix().module(), rank, Math.sqrt(factors.squares()), factors.relativeError(), values));
        if (rank == 0) {
            return;
        }
        Factored matrix = result.matrix();
        double scale = options.alpha().orElse(rank) / rank; // PEFT multiplies by it
        float[] a = new float[rank * matrix.columns()];
        float[] b = new float[matrix.rows() * rank];
        for (int k = 0; k < rank; k++) {
            double root = Math.sqrt(factors.values()[k]);
            double toA = !options.distributeScale() ? 1 : root == 0 ? 0 : 1 / root;
            double toB = (options.distributeScale() ? root : 1) / scale;
            for (int j = 0; j < matrix.columns(); j++) {
                a[k * matrix.columns() + j] = (float) (toA * factors.right()[k][j]);
            }
            for (int i = 0; i < matrix.rows(); i++) {
                b[i * rank + k] = (float) (toB * factors.left()[k][i]);
            }
        }
        String name = tensor(matrix);
        file.factors(
                name,
                new LowRankChange(
                        new HeldTensor(List.of((long) rank, (long) matrix.columns()), a, name),
                        new HeldTensor(List.of((long) matrix.rows(), (long) rank), b, name),
                        scale,
                        matrix.embedding()));
        if (result.bias().length > 0) {
            float[] bias = result.bias();
            for (int i = 0; i < bias.length; i++) {
                bias[i] = (float) (bias[i] / scale);
            }
            file.addedBias(matrix.module() + ".bias", new HeldTensor(List.of((long) bias.length), bias, name));
        }
    }
}
