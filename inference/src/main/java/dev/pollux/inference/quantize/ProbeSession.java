package dev.pollux.inference.quantize;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.ModelExecutionException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.inference.internal.step.StepInput;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.OpenHandle;
import dev.pollux.internal.math.Float16;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** A float decoder whose matrices can be replaced between runs. The caller closes it. <em>Confined to one thread.</em> */
final class ProbeSession implements AutoCloseable {

    /*
     * The model is written to a temporary folder without its matrices, which are inputs of the graph in direct memory. A matrix is
     * replaced by overwriting its memory, with a copy on the heap to restore it.
     */

    private static final int WINDOW = 64;
    private static final int WINDOWS = 2;
    private static final int LEAST_TOKENS = 64;
    private static final QuantizationRecipe ROUNDING = QuantizationRecipe.builder()
            .method(QuantizationMethod.ROUND_TO_NEAREST)
            .build();

    private final Path folder;
    private final DecoderGraph graph;
    private final JobContext context;
    private final Map<String, ByteBuffer> weights = new HashMap<>(); // in direct memory, by name
    private final Map<String, Double> squaredNorms = new HashMap<>();
    private final Map<String, OnnxTensor> bound = new LinkedHashMap<>();
    private final List<StepInput> steps = new ArrayList<>();
    private final List<OnnxTensor> owned = new ArrayList<>();
    private final Map<String, byte[]> saved = new HashMap<>();
    private final List<TokenReference> references = new ArrayList<>();
    private final OpenHandle handle;
    private @Nullable OrtSession session;

    private ProbeSession(Path folder, DecoderGraph graph, JobContext context) {
        this.folder = folder;
        this.graph = graph;
        this.context = context;
        this.handle = OpenHandle.of("ProbeSession of " + graph.manifest().name());
    }

    /** Whether the engine runs the ONNX model at {@code path} as a decoder. */
    static boolean isDecoder(Path path) {
        try {
            return DecoderGraph.ready(path).isPresent();
        } catch (UnsupportedModelException e) {
            return false; // it has inputs of an encoder
        }
    }

    /**
     * Opens a model.
     *
     * @param replaceable the matrices that can be replaced; their values are read
     */
    static ProbeSession open(
            SourceModel source, Path model, List<MatrixPlan> replaceable, int threads, JobContext context) {
        Path folder = temporary();
        try {
            List<Weight> weights = replaceable.stream().map(MatrixPlan::weight).toList();
            source.write(
                    folder,
                    whole -> GraphCut.between(
                            whole, weights.stream().map(Weight::value).toList(), whole.outputs()),
                    Map.of());
            DecoderGraph graph = DecoderGraph.ready(model).orElseGet(() -> DecoderGraph.exported(folder));
            checkFloat(graph, model);
            ProbeSession made = new ProbeSession(folder, graph, context);
            try {
                made.open(folder.resolve(String.valueOf(graph.file().getFileName())), threads);
                weights.forEach(made::load);
                return made;
            } catch (OrtException e) {
                made.close();
                throw NativeRuntime.failure("Cannot open " + model, e);
            } catch (RuntimeException | Error e) {
                made.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            delete(folder);
            throw e;
        }
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("pollux-measure");
        } catch (IOException e) {
            throw new StorageException("Cannot create a temporary folder: " + e, e);
        }
    }

    private static void delete(Path folder) {
        try {
            WorkFolder.deleteTree(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }

    private static void checkFloat(DecoderGraph graph, Path model) {
        if (graph.cache() != ElementType.FLOAT
                || graph.logits().type() != ElementType.FLOAT
                || graph.beginning().isPresent()) {
            throw new UnsupportedModelException("A budget is measured on one graph in 32-bit floats, but " + model
                    + " has " + graph.cache() + " states and " + graph.logits().type()
                    + " logits; start from the checkpoint");
        }
    }

    private void open(Path file, int threads) throws OrtException {
        try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, threads, false)) {
            session = NativeRuntime.environment().createSession(file.toString(), settings);
        }
        graph.inputs().forEach(input -> steps.add(new StepInput(input)));
        for (StateTensor state : graph.manifest().states()) {
            long[] shape = state.shape(1, 0);
            long size = LongStream.of(shape).reduce(Float.BYTES, Math::multiplyExact);
            bind(state.input(), Tensors.direct(Math.toIntExact(size)), ElementType.FLOAT, shape);
        }
    }

    private void bind(String name, ByteBuffer bytes, ElementType type, long... shape) {
        OnnxTensor tensor = Tensors.over(bytes, type, shape);
        owned.add(tensor);
        bound.put(name, tensor);
    }

    private void load(Weight weight) {
        context.checkCancelled();
        if (weight.bytes() > Integer.MAX_VALUE) {
            throw new UnsupportedModelException("A budget holds each matrix in one buffer of at most 2 GiB, but "
                    + weight.name() + " has " + weight.bytes() + " bytes; choose bits with rules");
        }
        ByteBuffer bytes = Tensors.direct((int) weight.bytes());
        ByteBuffer into = bytes.duplicate();
        weight.source().writeTo(piece -> into.put(piece.duplicate()));
        weights.put(weight.name(), bytes);
        squaredNorms.put(weight.name(), squaredNorm(bytes, weight.type()));
        Shape shape = weight.shape();
        bind(
                weight.name(),
                bytes,
                weight.type(),
                shape.dims().stream().mapToLong(Shape.Dim::factor).toArray());
    }

    private static double squaredNorm(ByteBuffer bytes, ElementType type) {
        ByteBuffer all = bytes.duplicate().order(ByteOrder.nativeOrder()).clear();
        double sum = 0;
        while (all.hasRemaining()) {
            double value = type == ElementType.FLOAT ? all.getFloat() : Float16.toFloat(all.getShort());
            sum += value * value;
        }
        return sum;
    }

    /** ‖W‖² of the original matrix. */
    double squaredNorm(MatrixPlan plan) {
        return Objects.requireNonNull(squaredNorms.get(plan.weight().name()));
    }

    /**
     * Reads windows of a text with the original model.
     *
     * @return the number of tokens
     */
    int read(String text, Workers workers) {
        int[] ids;
        try (Tokenizer tokenizer = ModelTexts.in(graph.texts())
                .tokenizer()
                .orElseThrow(() -> new UnsupportedModelException(
                        graph.texts() + " has no tokenizer, so it reads no text; add tokenizer.json"))) {
            ids = tokenizer.encode(text, true);
        }
        if (ids.length < LEAST_TOKENS) {
            throw new IllegalArgumentException("The text must have at least " + LEAST_TOKENS + " tokens but has "
                    + ids.length + "; give a longer one");
        }
        int window = Math.min(WINDOW, graph.manifest().contextLength());
        int count = Math.max(1, Math.min(WINDOWS, ids.length / window));
        int read = 0;
        for (int i = 0; i < count; i++) {
            int from = (int) ((long) i * ids.length / count);
            int[] some = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + window));
            references.add(TokenReference.of(some, logits(some), workers));
            read += some.length;
        }
        return read;
    }

    /** (tokens, vocabulary) */
    private float[] logits(int[] ids) {
        GraphInput.Step step = GraphInput.Step.of(ids, 0, ids.length, 0);
        steps.forEach(input -> input.write(step, bound));
        try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
            return context.cancellable(run::terminate, () -> logits(run.options(), ids.length));
        }
    }

    private float[] logits(OrtSession.RunOptions run, int tokens) {
        context.checkCancelled();
        try (OrtSession.Result result =
                Objects.requireNonNull(session).run(bound, Set.of(graph.logits().name()), Map.of(), run)) {
            FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] logits =
                    new float[Math.multiplyExact(tokens, graph.manifest().vocabularySize())];
            values.get(logits);
            return logits;
        } catch (OrtException e) {
            context.checkCancelled();
            throw NativeRuntime.failure(
                    "Cannot read texts with " + graph.manifest().name(), e);
        }
    }

    /**
     * Replaces a matrix by what its codes stand for.
     *
     * @return ‖W − Ŵ‖² / ‖W‖²
     */
    double round(MatrixPlan plan, QuantizationRun run) {
        ByteBuffer bytes = Objects.requireNonNull(weights.get(plan.weight().name()));
        saved.computeIfAbsent(plan.weight().name(), name -> {
            byte[] copy = new byte[bytes.capacity()];
            bytes.duplicate().clear().get(copy);
            return copy;
        });
        boolean wide = plan.weight().type() == ElementType.FLOAT;
        double relative = new MatrixCoding(plan, ROUNDING, run).run((first, rows) -> {
            float[] values = rows.dequantized(); // (rows, K)
            for (int row = 0; row < rows.rows; row++) {
                for (int k = 0; k < rows.columns; k++) {
                    int at = plan.byColumns() ? k * plan.rows() + first + row : (first + row) * plan.columns() + k;
                    float value = values[row * rows.columns + k] / plan.factor();
                    if (wide) {
                        bytes.putFloat(at * Float.BYTES, value);
                    } else {
                        bytes.putShort(at * Short.BYTES, Float16.fromFloat(value));
                    }
                }
            }
        });
        return relative * relative;
    }

    /** Puts back all matrices that were replaced. */
    void restore() {
        saved.forEach((name, copy) ->
                Objects.requireNonNull(weights.get(name)).duplicate().clear().put(copy));
        saved.clear();
    }

    /** Mean KL(original‖replaced) over the tokens of the text, in nats. */
    double divergence(Workers workers) {
        double sum = 0;
        int tokens = 0;
        for (TokenReference reference : references) {
            float[] logits = logits(reference.ids());
            List<Future<Double>> parts = new ArrayList<>();
            int step = 16;
            for (int from = 0; from < reference.ids().length; from += step) {
                int first = from;
                int end = Math.min(reference.ids().length, from + step);
                parts.add(workers.submit(() -> reference.divergence(logits, first, end)));
            }
            for (Future<Double> part : parts) {
                sum += workers.await(part, () -> {});
            }
            tokens += reference.ids().length;
        }
        return Math.max(0, sum / tokens);
    }

    @Override
    public void close() {
        owned.forEach(OnnxTensor::close);
        steps.forEach(StepInput::close);
        try {
            if (session != null) {
                session.close();
            }
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot free " + graph.manifest().name() + ": " + e.getMessage(), e);
        } finally {
            handle.close();
            delete(folder);
        }
    }
}
