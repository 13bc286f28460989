package dev.pollux.merging;

import dev.pollux.tensor.DType;
import java.util.List;

/**
 * What a merge would do. <em>Immutable.</em>
 *
 * @param problems everything wrong or worth knowing; with a fatal one among them there may be fewer {@code tensors}
 * @param tensors what would be written, by name
 * @param bytesToRead of weights, each input once, though some methods read them several times
 * @param bytesToWrite of weights
 * @param memory bytes of working memory, mapped files not counted
 */
public record MergePreview(
        List<MergeProblem> problems, List<PlannedTensor> tensors, long bytesToRead, long bytesToWrite, long memory) {

    public MergePreview {
        problems = List.copyOf(problems);
        tensors = List.copyOf(tensors);
    }

    /** Whether the merge can run. */
    public boolean isPossible() {
        return problems.stream().noneMatch(MergeProblem::isFatal);
    }

    /** What stops the merge. */
    public List<String> errors() {
        return problems.stream()
                .filter(MergeProblem::isFatal)
                .map(MergeProblem::message)
                .toList();
    }

    /** What does not stop the merge. */
    public List<String> notices() {
        return problems.stream()
                .filter(problem -> !problem.isFatal())
                .map(MergeProblem::message)
                .toList();
    }

    /**
     * What one tensor would get. <em>Immutable.</em>
     *
     * @param file where it would lie
     * @param method with its parameters for this tensor
     * @param sources {@code model:tensor}, the base first where the method has one
     * @param cost time for one element of one source, in multiples of that of a linear merge
     */
    public record PlannedTensor(
            String name, DType type, List<Long> shape, String file, String method, List<String> sources, double cost) {

        public PlannedTensor {
            shape = List.copyOf(shape);
            sources = List.copyOf(sources);
        }
    }
}
