package dev.pollux.finetune.merge;

import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the additional statistics that some methods need, from files in the folder of each model's weights. */
final class SideStatistics {

    private final String tensor;
    private final List<SourceSet.Entry> entries;
    private final Problems problems;

    SideStatistics(String tensor, List<SourceSet.Entry> entries, Problems problems) {
        this.tensor = tensor;
        this.entries = entries;
        this.problems = problems;
    }

    /** Returns the diagonals of all models; if one is missing, returns empty and reports a problem. */
    Optional<List<TensorSource>> fisher() {
        List<TensorSource> found = new ArrayList<>();
        for (SourceSet.Entry entry : entries) {
            Optional<TensorSource> diagonal = read(entry, Fisher.FILE);
            if (diagonal.isEmpty()) {
                problems.fatal(
                        "Cannot merge ",
                        tensor,
                        ": model " + entry.model() + " has no such tensor in " + Fisher.FILE
                                + "; collect it for all models (pollux collect-fisher), or use linear");
                return Optional.empty();
            }
            if (!diagonal.get().shape().equals(entry.source().shape())) {
                problems.fatal(
                        "Cannot merge ",
                        tensor,
                        ": model " + entry.model() + " is "
                                + entry.source().shape() + " but " + Fisher.FILE + " has "
                                + diagonal.get().shape() + "; take it from the same model");
                return Optional.empty();
            }
            found.add(diagonal.get());
        }
        return Optional.of(found);
    }

    /**
     * Returns RegMean with its matrices, or the mean if no model has any. If only some models have them, or they do not fit,
     * returns empty and reports a problem.
     */
    Optional<MergeMethod> regMean(RegMean method) {
        List<Optional<TensorSource>> found =
                entries.stream().map(entry -> read(entry, RegMean.FILE)).toList();
        if (found.stream().allMatch(Optional::isEmpty)) {
            return Optional.of(new Linear(method.weights(), true));
        }
        List<Long> shape = entries.get(0).source().shape();
        long width = shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
        List<TensorSource> grams = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            String model = entries.get(i).model();
            if (found.get(i).isEmpty()) {
                problems.fatal(
                        "Cannot merge ",
                        tensor,
                        ": model " + model + " has no such tensor in " + RegMean.FILE
                                + ", and others have it; collect it for all models (pollux collect-gram) or none");
                return Optional.empty();
            }
            TensorSource gram = found.get(i).get();
            if (shape.size() != 2 || width > RegMean.MAX_WIDTH || !gram.shape().equals(List.of(width, width))) {
                problems.fatal(
                        "Cannot merge ",
                        tensor,
                        ": it is " + shape + " and " + RegMean.FILE + " of model " + model
                                + " has " + gram.shape() + " but must have [in, in], in at most " + RegMean.MAX_WIDTH
                                + "; leave wider ones out");
                return Optional.empty();
            }
            grams.add(gram);
        }
        return Optional.of(new RegMean(method.weights(), method.alpha(), i -> all(grams.get(i))));
    }

    private static float[] all(TensorSource source) {
        float[] values = new float[Math.toIntExact(source.elements())];
        source.read(0, values.length, values, 0);
        return values;
    }

    private Optional<TensorSource> read(SourceSet.Entry entry, String name) {
        Optional<SafetensorsFile> file = entry.part().model().beside(name);
        String stored = entry.part().model().storedName(entry.name());
        return file.filter(open -> open.tensors().containsKey(stored))
                .filter(open -> StoredTensor.READABLE.contains(open.info(stored).type()))
                .map(open ->
                        new StoredTensor(open, open.info(stored), entry.model() + "/" + name + ":" + entry.name()));
    }
}
