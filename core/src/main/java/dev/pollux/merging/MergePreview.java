package dev.pollux.merging;

import dev.pollux.tensor.DType;
import java.util.List;

/**
 * The predicted result of a merge. <em>Immutable.</em>
 *
 * @param problems all errors and notices; if one is fatal, {@code tensors} may be incomplete
 * @param tensors the tensors to write, sorted by name
 * @param bytesToRead bytes of weights; each input counts once, although some methods read it several times
 * @param bytesToWrite bytes of weights
 * @param memory bytes of working memory, without mapped files
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

    /** Returns the messages of the fatal problems. */
    public List<String> errors() {
        return problems.stream()
                .filter(MergeProblem::isFatal)
                .map(MergeProblem::message)
                .toList();
    }

    /** Returns the messages of the problems that do not prevent the merge. */
    public List<String> notices() {
        return problems.stream()
                .filter(problem -> !problem.isFatal())
                .map(MergeProblem::message)
                .toList();
    }

    /**
     * One planned tensor. <em>Immutable.</em>
     *
     * @param file the file that would contain it
     * @param method the method with its parameters for this tensor
     * @param sources {@code model:tensor}, the base first if the method has one
     * @param cost time per element of a source ÷ time per element of a source in a linear merge
     */
    public record PlannedTensor(
            String name, DType type, List<Long> shape, String file, String method, List<String> sources, double cost) {

        public PlannedTensor {
            shape = List.copyOf(shape);
            sources = List.copyOf(sources);
        }
    }
}
