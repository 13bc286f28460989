package dev.pollux.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.engine.InputGrams;
import dev.pollux.inference.engine.InputGrams.Input;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Finds out what {@link RegMean} must know of a model: Σ xxᵀ over the inputs x of its matrices while it reads a text.
 *
 * <p>The text should be what the model is good at, such as what it was fine-tuned on. The result, {@code gram.safetensors} in
 * the model's folder, or in that of the adapter that lies over it, appears when it is complete.
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

    /** A collection; model names are relative to {@code folder}. */
    public static GramCollection in(Path folder, GramOptions options) {
        return new GramCollection(folder, options);
    }

    /**
     * What {@link #collect} would do, from headers and the tokenizer alone.
     *
     * @throws RuntimeException as the job of {@link #collect} does
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
            Layout layout = layout(
                    input,
                    InputGrams.inputs(
                            DecoderExport.projections(
                                    checkpoint, options.engine().export()),
                            RegMean.MAX_WIDTH));
            if (layout.matrices().isEmpty()) {
                throw new UnsupportedModelException(model + " has no matrix that the engine multiplies with as it is"
                        + " stored, and only of such are the inputs known; merge it by another method");
            }
            int tokens = Math.min(options.mostTokens(), tokenizer.encode(text, true).length);
            return report(file, layout, checked(tokens), begin);
        }
    }

    /**
     * Reads a text and writes the file, which must not exist.
     *
     * @param model a Hugging Face folder or one with a GGUF file, or {@code model+adapter}
     * @param text at least one token; what is beyond {@link GramOptions#mostTokens()} is not read
     * @return a job that reports tokens; it fails with {@link IllegalArgumentException} if
     *     the file exists or the text is empty, {@link UnsupportedModelException} if the model is none that can be run or has no
     *     folder, and {@link MalformedFileException} if a file is damaged
     */
    public Job<GramReport> collect(String model, String text) {
        return Job.of("collect Gram matrices", context -> {
            long begin = System.nanoTime();
            preview(model, text);
            ModelReference reference = ModelReference.parse(model);
            try (InputModel input = InputModel.open(reference, folder);
                    RunnableModel runnable = RunnableModel.of(model, folder, options.engine(), context)) {
                InputGrams grams = InputGrams.of(runnable.path(), RegMean.MAX_WIDTH, runnable.engine(), context);
                Layout layout = layout(input, grams.inputs());
                List<int[]> windows = grams.windows(text, options.window(), options.mostTokens());
                Path file = file(reference);
                WorkFolder.publishFile(file, context, part -> write(grams, windows, layout, part, context));
                int tokens = windows.stream().mapToInt(window -> window.length).sum();
                return report(file, layout, tokens, begin);
            }
        });
    }

    private Path file(ModelReference reference) {
        Path place = InputModel.statistics(reference, folder);
        if (Files.isRegularFile(place)) {
            throw new UnsupportedModelException(place + " is a file, and " + RegMean.FILE
                    + " lies in a model's folder; put it into a folder of its own and name that");
        }
        Path file = place.resolve(RegMean.FILE);
        if (Files.exists(file)) {
            throw new IllegalArgumentException(file + " must not exist; delete it to collect anew");
        }
        return file;
    }

    private static int checked(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("text must hold at least one token but is empty");
        }
        return tokens;
    }

    /** What is read, and the tensors that get a matrix or get none. */
    private record Layout(List<Input> inputs, TreeSet<String> matrices, TreeSet<String> left) {
        long bytes() {
            return inputs.stream()
                    .mapToLong(input -> names(input).size() * (long) input.width() * input.width() * Float.BYTES)
                    .sum();
        }

        List<String> names(Input input) {
            return input.matrices().stream().filter(matrices::contains).toList();
        }
    }

    private static Layout layout(InputModel model, List<Input> inputs) {
        Map<String, TensorSource> tensors = model.tensors();
        TreeSet<String> matrices = new TreeSet<>();
        for (Input input : inputs) {
            for (String name : input.matrices()) {
                TensorSource tensor = tensors.get(name);
                if (tensor != null
                        && tensor.shape().size() == 2
                        && tensor.shape().get(1) == input.width()) {
                    matrices.add(name);
                }
            }
        }
        TreeSet<String> left = new TreeSet<>();
        tensors.forEach((name, tensor) -> {
            if (tensor.shape().size() >= 2 && LayerName.parse(name).isPresent() && !matrices.contains(name)) {
                left.add(name);
            }
        });
        return new Layout(inputs, matrices, left);
    }

    private long write(InputGrams grams, List<int[]> windows, Layout layout, Path part, JobContext context) {
        try (TensorFileWriter out = new TensorFileWriter(part, List.copyOf(layout.matrices()))) {
            grams.over(
                    windows,
                    options.memory(),
                    (input, gram) -> {
                        long width = input.width();
                        layout.names(input).forEach(name -> out.put(name, DType.F32, List.of(width, width), gram));
                    },
                    context);
            out.finish();
            return out.bytes();
        }
    }

    private GramReport report(Path file, Layout layout, int tokens, long begin) {
        return new GramReport(
                file,
                List.copyOf(layout.matrices()),
                List.copyOf(layout.left()),
                tokens,
                InputGrams.passes(layout.inputs(), options.memory()),
                layout.bytes(),
                Duration.ofNanos(System.nanoTime() - begin));
    }
}
