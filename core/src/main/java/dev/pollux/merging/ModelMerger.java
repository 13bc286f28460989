package dev.pollux.merging;

import dev.pollux.job.Job;
import java.nio.file.Path;

/** Merges several models into one, without training. Implementations are <em>thread-safe</em>. */
public interface ModelMerger {

    /**
     * Checks a plan and predicts the result of {@link #merge}. Reads headers and configuration files only.
     *
     * @return all problems of the plan in one list, and the method and sources of each tensor
     */
    MergePreview plan(MergePlan plan);

    /**
     * Merges into {@code target}, a folder that must not exist. The folder appears when it is complete.
     *
     * @return a job that reports progress in bytes; if the plan has errors, running it throws {@link IllegalArgumentException}
     *     with all of them before the first write
     */
    Job<MergeReport> merge(MergePlan plan, Path target);
}
