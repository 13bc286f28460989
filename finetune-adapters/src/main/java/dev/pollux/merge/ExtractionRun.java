package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.internal.math.FloatMatrix;
import dev.pollux.internal.math.LowRank;
import dev.pollux.internal.math.Orthonormal;
import dev.pollux.job.JobContext;
import dev.pollux.merge.ExtractionLayout.Factored;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsWriter;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

/** Factors the matrices of a layout on several threads and writes them in order. <em>For one run.</em> */
final class ExtractionRun {

    private static final String PREFIX = "base_model.model.";
    private static final int WINDOW = 1 << 18;

    private final ExtractionLayout layout;
    private final LoraExtractionOptions options;
    private final String base;
    private final JobContext context;
    private final List<LoraExtractionReport.Matrix> done = new ArrayList<>();
    private boolean biases;

    ExtractionRun(ExtractionLayout layout, LoraExtractionOptions options, String base, JobContext context) {
        this.layout = layout;
        this.options = options;
        this.base = base;
        this.context = context;
    }

    /** A factored matrix with the change of its bias, which is empty where there is none. */
    private record Result(Factored matrix, LowRank factors, float[] bias) {}

    /** @param inputs not hashed yet */
    LoraExtractionReport run(Path target, InputHashes inputs) {
        long begin = System.nanoTime();
        return WorkFolder.publish(target, "lora extraction", context, work -> {
            inputs.all(context);
            long bytes = write(work.path());
            JsonFiles.write(
                    work.path().resolve(PeftConfig.CONFIG),
                    new AdapterConfig(base, layout, options, done, biases).json());
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

    /** What decides the bytes of the adapter, and how near it is to the difference. */
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
        List<String> names = new ArrayList<>();
        layout.whole().forEach(tensor -> names.add(PREFIX + tensor.tensor()));
        for (Factored matrix : layout.linears()) {
            names.addAll(List.of(name(matrix, "A"), name(matrix, "B"), PREFIX + matrix.module() + ".lora_B.bias"));
        }
        try (SafetensorsWriter file = SafetensorsWriter.create(folder.resolve(PeftConfig.WEIGHTS), names)) {
            factorAll(file);
            for (ExtractionLayout.Whole tensor : layout.whole()) {
                context.checkCancelled();
                file.put(PREFIX + tensor.tensor(), tensor.type(), tensor.source());
            }
            file.finish();
            file.notices("adapter").forEach(context::notice);
            return file.bytes();
        }
    }

    private static String name(Factored matrix, String part) {
        return PREFIX
                + matrix.module()
                + (matrix.embedding() ? ".lora_embedding_" + part : ".lora_" + part + ".weight");
    }

    private void factorAll(SafetensorsWriter file) {
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

    private void put(SafetensorsWriter file, Result result) {
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
        file.put(name(matrix, "A"), DType.F32, List.of((long) rank, (long) matrix.columns()), a);
        file.put(name(matrix, "B"), DType.F32, List.of((long) matrix.rows(), (long) rank), b);
        if (result.bias().length > 0) {
            biases = true;
            float[] bias = result.bias();
            for (int i = 0; i < bias.length; i++) {
                bias[i] = (float) (bias[i] / scale);
            }
            file.put(PREFIX + matrix.module() + ".lora_B.bias", DType.F32, List.of((long) bias.length), bias);
        }
    }
}
