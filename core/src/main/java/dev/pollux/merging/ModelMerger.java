package dev.pollux.merging;

import dev.pollux.job.Job;
import java.nio.file.Path;

/** Makes one model of several, without training. Implementations are <em>thread-safe</em>. */
public interface ModelMerger {

    /**
     * What {@link #merge} would do, found from headers and configuration files alone: everything wrong with the plan in one
     * list, and what each tensor would get.
     */
    MergePreview plan(MergePlan plan);

    /**
     * Merges into {@code target}, a folder that must not exist; it appears when it is complete.
     *
     * @return a job that reports bytes; running it throws {@link IllegalArgumentException} with all errors of the plan
     *     before anything is written
     */
    Job<MergeReport> merge(MergePlan plan, Path target);
}
