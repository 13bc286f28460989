package dev.pollux.finetune.adapter;

import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.job.Job;
import dev.pollux.merging.ModelReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Extracts a LoRA adapter in PEFT's format from the difference between a fine-tuned model and its base.
 *
 * <p>For every matrix, the largest singular values of the difference are kept. This is the best approximation of that rank
 * (Eckart and Young, "The approximation of one matrix by another of lower rank", 1936). Tensors that cannot be factored are
 * stored whole. Unchanged matrices are not part of the adapter. The adapter is written to a hidden folder next to the target
 * and moved to the target when it is complete.
 *
 * <pre>{@code
 * LoraExtraction extraction = LoraExtraction.in(Path.of("models"),
 *         LoraExtractionOptions.builder().rank(16).build());
 * LoraExtractionReport report = extraction.extract("base", "fine-tuned", Path.of("adapter")).run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class LoraExtraction {

    private final Path folder;
    private final LoraExtractionOptions options;

    private LoraExtraction(Path folder, LoraExtractionOptions options) {
        this.folder = folder;
        this.options = options;
    }

    /** Returns an extraction with default options; model names are relative to {@code folder}. */
    public static LoraExtraction in(Path folder) {
        return in(folder, LoraExtractionOptions.DEFAULTS);
    }

    /** Returns an extraction; model names are relative to {@code folder}. */
    public static LoraExtraction in(Path folder, LoraExtractionOptions options) {
        return new LoraExtraction(folder, options);
    }

    /**
     * Predicts the result of {@link #extract} from headers.
     *
     * @throws dev.pollux.MalformedFileException if a model is missing or damaged, or the two are not of one architecture
     */
    public LoraExtractionPreview preview(String base, String model) {
        try (InputModel before = open(base);
                InputModel after = open(model)) {
            return ExtractionLayout.of(before, after.calledAs(before), options).preview(options);
        }
    }

    /**
     * Extracts into {@code target}, a folder that must not exist.
     *
     * @param base a model folder, or {@code folder+adapter}
     * @param model the fine-tuned one
     * @return a job that reports progress in matrices
     * @throws dev.pollux.MalformedFileException from the job, if a model is missing or damaged, or the two are not of one
     *     architecture
     */
    public Job<LoraExtractionReport> extract(String base, String model, Path target) {
        return Job.of("extract", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            try (InputModel before = open(base);
                    InputModel after = open(model)) {
                ExtractionLayout layout = ExtractionLayout.of(before, after.calledAs(before), options)
                        .changed();
                InputHashes inputs = InputHashes.of(Stream.of(base, model).map(ModelReference::parse), folder);
                return new ExtractionRun(layout, options, base, context).run(target, inputs);
            }
        });
    }

    private InputModel open(String name) {
        return InputModel.open(ModelReference.parse(name), folder);
    }
}
