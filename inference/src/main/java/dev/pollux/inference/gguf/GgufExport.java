package dev.pollux.inference.gguf;

import dev.pollux.MalformedFileException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.BlockEncoder;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;

/**
 * Writes models as GGUF, llama.cpp's format, with tokenizer, chat template and configuration.
 *
 * <p>A model is a Hugging Face folder with safetensors, or a GGUF file, whose types are changed and whose metadata are copied. Of
 * folders, only the architectures that {@link #architectures} lists can be written; a GGUF file may have any architecture.
 *
 * <table>
 * <caption>Types of tensors, as llama.cpp chooses them</caption>
 * <tr><th>tensor</th><th>type</th></tr>
 * <tr><td>vectors, norms, routers of experts, convolutions</td><td>F32</td></tr>
 * <tr><td>head, or embedding that is also the head</td><td>Q6_K if other matrices have fewer than 8 bits</td></tr>
 * <tr><td>values and down projections of Q4_K</td><td>Q6_K in about half of the layers</td></tr>
 * <tr><td>matrix whose rows are no multiple of 256</td><td>Q5_0 for Q4_K, Q8_0 for Q6_K</td></tr>
 * </table>
 *
 * <p>Weights are read and encoded in windows, on several threads; the bytes of the file do not depend on their number. The file
 * appears when it is complete, then its manifest ({@link ArtifactManifest#fileOf}). A failed or cancelled job leaves nothing behind.
 *
 * <pre>{@code
 * GgufOptions options = GgufOptions.builder().type(GgufType.Q4_K).build();
 * GgufReport report = GgufExport.job(Path.of("model"), Path.of("model-q4_k.gguf"), options).run();
 * }</pre>
 *
 * <p>The static methods are <em>thread-safe</em>; two jobs with one target exclude each other.
 */
public final class GgufExport {

    private static final int WINDOW = 1 << 20; // elements, at least a row
    private static final int COPY = 1 << 24; // bytes
    private static final float MOST_HALF = 65_504;

    private final GgufPlan plan;
    private final GgufOptions options;
    private final JobContext context;
    private final Deque<Future<ByteBuffer>> pending = new ArrayDeque<>(); // in the order of the file
    private long done; // bytes
    private final long total;

    private GgufExport(GgufPlan plan, GgufOptions options, JobContext context) {
        this.plan = plan;
        this.options = options;
        this.context = context;
        this.total = plan.layout().stream().mapToLong(GgufWriter.Tensor::bytes).sum();
    }

    /** The Hugging Face classes of the folders that can be written, sorted. */
    public static List<String> architectures() {
        return HubMetadata.classes();
    }

    /**
     * Checks the options against a model and describes the file that {@link #job} writes. Reads headers and the tokenizer only.
     *
     * @throws dev.pollux.UnsupportedModelException if the architecture, a setting or the tokenizer cannot be written
     * @throws IllegalArgumentException if a rule matches no tensor
     */
    public static GgufPreview plan(Path model, GgufOptions options) {
        try (GgufPlan plan = GgufPlan.open(model, options)) {
            return plan.preview();
        }
    }

    /**
     * Writes a model.
     *
     * @param target must not exist, and must have the extension {@code .gguf}
     * @return a job that reports progress in bytes written. Running it fails with the errors of {@link #plan} before the first
     *     write, and with {@link MalformedFileException} if a weight is NaN, infinite or too large for the type
     */
    public static Job<GgufReport> job(Path model, Path target, GgufOptions options) {
        return Job.of("gguf", context -> {
            long begin = System.nanoTime();
            checkTarget(target);
            try (GgufPlan plan = GgufPlan.open(model, options)) {
                GgufPreview content = plan.preview();
                WorkFolder.checkSpace(target, content.bytes());
                content.notices().forEach(context::notice);
                ArtifactManifest manifest = manifest(plan, options, context);
                WorkFolder.publishFile(target, context, part -> new GgufExport(plan, options, context).write(part));
                manifest.writeOf(target);
                return new GgufReport(target, content, Duration.ofNanos(System.nanoTime() - begin));
            }
        });
    }

    private static ArtifactManifest manifest(GgufPlan plan, GgufOptions options, JobContext context) {
        return ArtifactManifest.builder(ArtifactManifest.Kind.CHECKPOINT, "gguf")
                .inputs(ArtifactCache.hashed(plan.files(), context))
                .option("type", options.type().text())
                .option(
                        "rules",
                        options.rules().stream()
                                .map(rule -> rule.pattern() + "=" + rule.type())
                                .toList())
                .build();
    }

    private static void checkTarget(Path target) {
        if (!target.toString().endsWith(".gguf")) {
            throw new IllegalArgumentException(target + " must end in .gguf; choose another name");
        }
        if (Files.exists(target)) {
            throw new IllegalArgumentException(target + " must not exist; choose another name or delete it");
        }
    }

    private void write(Path part) {
        try (GgufWriter writer = GgufWriter.create(part, plan.metadata(), plan.layout());
                Workers workers = Workers.start("gguf", options.threads(), context)) {
            for (PlannedTensor tensor : plan.tensors()) {
                if (tensor.isCopied()) {
                    drain(0, writer, workers);
                    copy(tensor, writer);
                } else {
                    encode(tensor, writer, workers);
                }
            }
            drain(0, writer, workers);
            writer.finish();
        }
    }

    private void copy(PlannedTensor tensor, GgufWriter writer) {
        long bytes = tensor.tensor().bytes();
        for (long at = 0; at < bytes; at += COPY) {
            context.checkCancelled();
            append(tensor.source().bytes(at, (int) Math.min(COPY, bytes - at)).orElseThrow(), writer);
        }
    }

    private void encode(PlannedTensor tensor, GgufWriter writer, Workers workers) {
        long elements = tensor.tensor().elements();
        int window = Math.max(1, WINDOW / tensor.row()) * tensor.row();
        for (long at = 0; at < elements; at += window) {
            long first = at;
            int count = (int) Math.min(window, elements - at);
            pending.add(workers.submit(() -> encoded(tensor, first, count, workers)));
            drain(2 * options.threads(), writer, workers);
        }
    }

    private static ByteBuffer encoded(PlannedTensor tensor, long first, int count, Workers workers) {
        if (workers.isStopped()) {
            return ByteBuffer.allocate(0);
        }
        DType type = tensor.tensor().type();
        float[] values = tensor.source().floats(first, count);
        float most = type == DType.F32 || type == DType.BF16 ? Float.MAX_VALUE : MOST_HALF;
        for (int i = 0; i < count; i++) {
            if (!(Math.abs(values[i]) <= most)) {
                throw new MalformedFileException("Element " + (first + i) + " of " + tensor.name()
                        + " must be a number of magnitude at most " + most + " for " + type + " but was " + values[i]
                        + "; " + (Float.isFinite(values[i]) ? "use bf16" : "the model is damaged"));
            }
        }
        int bytes = count / type.blockSize() * type.blockBytes();
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        BlockEncoder.encode(type, values, 0, count, out);
        return out.flip();
    }

    private void drain(int most, GgufWriter writer, Workers workers) {
        while (pending.size() > most) {
            append(workers.await(pending.remove(), () -> {}), writer);
        }
    }

    private void append(ByteBuffer bytes, GgufWriter writer) {
        context.checkCancelled();
        done += bytes.remaining();
        writer.append(bytes);
        context.progress("gguf", done, total, "bytes");
    }
}
