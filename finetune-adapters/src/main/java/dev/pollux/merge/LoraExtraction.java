package dev.pollux.merge;

import dev.pollux.job.Job;
import dev.pollux.merging.ModelReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Makes a LoRA adapter of the difference between a model and the one it was fine-tuned from, in PEFT's form.
 *
 * <p>Of every matrix the largest singular values of the difference are kept: the best approximation of its rank (Eckart and
 * Young, "The approximation of one matrix by another of lower rank", 1936). What cannot be factored is stored whole. A matrix
 * that the fine-tune did not change has no part in the adapter. The adapter grows in a hidden folder beside the target and is
 * moved there when it is complete.
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

    /** An extraction with default options; model names are relative to {@code folder}. */
    public static LoraExtraction in(Path folder) {
        return in(folder, LoraExtractionOptions.DEFAULTS);
    }

    /** An extraction; model names are relative to {@code folder}. */
    public static LoraExtraction in(Path folder, LoraExtractionOptions options) {
        return new LoraExtraction(folder, options);
    }

    /**
     * What {@link #extract} would do, from headers alone.
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
     * @return a job that reports matrices
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
