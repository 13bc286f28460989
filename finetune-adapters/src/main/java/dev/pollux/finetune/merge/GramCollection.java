package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.calibration.InputGrams;
import dev.pollux.inference.calibration.InputGrams.Input;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.SafetensorsWriter;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Collects the statistics for {@link RegMean}: for each matrix of a model, the Gram matrix Σ xxᵀ of its inputs x over a text.
 *
 * <p>The text should be typical of the model's task, such as its fine-tuning data. The result is {@code gram.safetensors} in
 * the folder of the model or, if it has one, of its adapter. The file appears when it is complete.
 *
 * <pre>{@code
 * GramCollection grams = GramCollection.in(Path.of("models"), GramOptions.DEFAULTS);
 * grams.collect("writer", Files.readString(Path.of("letters.md"))).run();
 * grams.collect("coder", Files.readString(Path.of("code.md"))).run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class GramCollection {

    private final Path folder;
    private final GramOptions options;

    private GramCollection(Path folder, GramOptions options) {
        this.folder = folder;
        this.options = options;
    }

    /** Returns a collection; model names are relative to {@code folder}. */
    public static GramCollection in(Path folder, GramOptions options) {
        return new GramCollection(folder, options);
    }

    /**
     * Predicts the result of {@link #collect} from headers and the tokenizer.
     *
     * @throws IllegalArgumentException if the file exists or the text is empty
     * @throws UnsupportedModelException if the engine cannot run the model, or the model has no folder or no matrix with known
     *     inputs
     * @throws MalformedFileException if the model is missing or damaged
     */
    public GramReport preview(String model, String text) {
        long begin = System.nanoTime();
        ModelReference reference = ModelReference.parse(model);
        Path file = file(reference);
        try (InputModel input = InputModel.open(reference, folder);
                Checkpoint checkpoint = Checkpoint.open(folder.resolve(reference.model()));
                Tokenizer tokenizer = checkpoint
                        .tokenizer()
                        .orElseThrow(
                                () -> new MalformedFileException(model + " has no tokenizer; add tokenizer.json"))) {
            List<Input> inputs = inputs(
                    input.tensors(),
                    DecoderExport.projections(checkpoint, options.engine().export()));
            if (inputs.isEmpty()) {
                throw new UnsupportedModelException(model + " has no matrix that the engine multiplies with as it is"
                        + " stored, and only of such are the inputs known; merge it by another method");
            }
            int tokens = Math.min(options.mostTokens(), tokenizer.encode(text, true).length);
            if (tokens < 1) {
                throw new IllegalArgumentException("text must hold at least one token but is empty");
            }
            TreeSet<String> matrices = new TreeSet<>();
            inputs.forEach(each -> matrices.addAll(each.matrices()));
            return new GramReport(
                    file,
                    List.copyOf(matrices),
                    left(input.tensors(), matrices),
                    tokens,
                    InputGrams.passes(inputs, options.memory()),
                    inputs.stream().mapToLong(GramCollection::bytes).sum(),
                    Duration.ofNanos(System.nanoTime() - begin));
        }
    }

    /**
     * Reads a text and writes {@code gram.safetensors}, which must not exist.
     *
     * @param model a Hugging Face folder, a folder with a GGUF file, or {@code model+adapter}
     * @param text at least one token; only the first {@link GramOptions#mostTokens()} tokens are read
     * @return a job that reports progress in tokens; before the first write it fails as {@link #preview} does
     */
    public Job<GramReport> collect(String model, String text) {
        return Job.of("collect Gram matrices", context -> {
            long begin = System.nanoTime();
            GramReport planned = preview(model, text);
            Set<String> matrices = Set.copyOf(planned.matrices());
            try (RunnableModel runnable = RunnableModel.of(model, folder, options.engine(), context)) {
                InputGrams grams = InputGrams.of(runnable.path(), RegMean.MAX_WIDTH, runnable.engine(), context)
                        .only(matrices::contains);
                List<int[]> windows = grams.windows(text, options.window(), options.mostTokens());
                WorkFolder.publishFile(planned.file(), context, part -> write(grams, windows, planned, part, context));
            }
            return planned.after(Duration.ofNanos(System.nanoTime() - begin));
        });
    }

    private Path file(ModelReference reference) {
        Path place = InputModel.statistics(reference, folder);
        if (Files.isRegularFile(place)) {
            throw new UnsupportedModelException(place + " is a file, and " + RegMean.FILE
                    + " is in a model's folder; put it into a folder of its own and name that");
        }
        Path file = place.resolve(RegMean.FILE);
        if (Files.exists(file)) {
            throw new IllegalArgumentException(file + " must not exist; delete it to collect anew");
        }
        return file;
    }

    /** The inputs of matrices that are stored in the layout of their multiplication. */
    private static List<Input> inputs(Map<String, TensorSource> tensors, List<Projection> projections) {
        return InputGrams.inputs(projections, RegMean.MAX_WIDTH).stream()
                .flatMap(input -> input.only(name -> hasColumns(tensors.get(name), input.width())).stream())
                .toList();
    }

    private static boolean hasColumns(@Nullable TensorSource tensor, long columns) {
        return tensor != null && tensor.shape().size() == 2 && tensor.shape().get(1) == columns;
    }

    /** The matrices in layers without a Gram matrix. */
    private static List<String> left(Map<String, TensorSource> tensors, Set<String> matrices) {
        return tensors.entrySet().stream()
                .filter(tensor -> tensor.getValue().shape().size() >= 2)
                .map(Map.Entry::getKey)
                .filter(name -> LayerName.parse(name).isPresent() && !matrices.contains(name))
                .sorted()
                .toList();
    }

    private static long bytes(Input input) {
        return (long) input.matrices().size() * input.width() * input.width() * Float.BYTES;
    }

    private void write(InputGrams grams, List<int[]> windows, GramReport planned, Path part, JobContext context) {
        try (SafetensorsWriter out = SafetensorsWriter.create(part, planned.matrices())) {
            grams.over(
                    windows,
                    options.memory(),
                    (input, gram) -> {
                        long width = input.width();
                        input.matrices().forEach(name -> out.put(name, DType.F32, List.of(width, width), gram));
                    },
                    context);
            out.finish();
        }
    }
}
