package dev.pollux.merging;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The result of a merge. <em>Immutable.</em>
 *
 * @param folder the folder of the merged model
 * @param tensors the tensors written, sorted by name
 * @param bytesWritten bytes of weights
 * @param resumedTensors number of tensors finished by an earlier, interrupted run
 * @param seed the seed of the random numbers
 * @param notices the notices from the check of the plan
 * @param inputs the files of all models and adapters with their hashes; empty if hashing was disabled
 * @param carriedFiles the files copied unchanged from the inputs, such as a tokenizer: sorted paths relative to {@code folder},
 *     separated by {@code /}
 */
public record MergeReport(
        Path folder,
        List<MergedTensor> tensors,
        long bytesWritten,
        int resumedTensors,
        long seed,
        List<String> notices,
        Duration elapsed,
        List<InputFile> inputs,
        List<String> carriedFiles) {

    public MergeReport {
        tensors = List.copyOf(tensors);
        notices = List.copyOf(notices);
        inputs = List.copyOf(inputs);
        carriedFiles = List.copyOf(carriedFiles);
    }

    /** Returns a summary for each layer, in order. Tensors without statistics are ignored. */
    public List<LayerSummary> layers() {
        Map<Integer, List<Statistics>> layers = new TreeMap<>();
        for (MergedTensor tensor : tensors) {
            if (tensor.layer().isPresent() && tensor.statistics().isPresent()) {
                layers.computeIfAbsent(tensor.layer().getAsInt(), layer -> new ArrayList<>())
                        .add(tensor.statistics().get());
            }
        }
        return layers.entrySet().stream()
                .map(layer -> LayerSummary.of(layer.getKey(), layer.getValue()))
                .toList();
    }

    /**
     * One merged tensor. <em>Immutable.</em>
     *
     * @param method the method with its parameters for this tensor
     * @param facts observations of the method, such as {@code branch} → {@code lerp}, or {@code nonzero} → the fraction of each
     *     difference that was kept
     * @param statistics statistics of the sources; empty for a single source, or if they were disabled
     */
    public record MergedTensor(
            String name,
            String method,
            List<String> sources,
            Map<String, String> facts,
            Optional<Statistics> statistics) {

        public MergedTensor {
            sources = List.copyOf(sources);
            facts = Collections.unmodifiableMap(new TreeMap<>(facts));
        }

        /** Returns the layer: the first number among the parts of the name. */
        public OptionalInt layer() {
            return Arrays.stream(name.split("\\."))
                    .filter(part -> part.matches("[0-9]{1,6}"))
                    .mapToInt(Integer::parseInt)
                    .findFirst();
        }
    }

    /**
     * Statistics of the N sources of a tensor. Differences are taken from the first source, which is the base if there is one.
     * <em>Immutable.</em>
     *
     * @param norm the Euclidean norm of the first source
     * @param changes (N − 1), the Euclidean norms of the differences
     * @param cosines the cosine of each pair of sources, in the order (0, 1), (0, 2) … (1, 2) …; NaN if one source is 0
     * @param changeCosines the cosine of each pair of differences, in the same order
     * @param conflicts the fraction of elements with differences of both signs, in [0, 1]: (0.2, −0.1) counts, (0.2, 0.1) and
     *     (0.2, 0) do not
     * @param elements the number of elements of the tensor
     */
    public record Statistics(
            double norm,
            List<Double> changes,
            List<Double> cosines,
            List<Double> changeCosines,
            double conflicts,
            long elements) {

        public Statistics {
            changes = List.copyOf(changes);
            cosines = List.copyOf(cosines);
            changeCosines = List.copyOf(changeCosines);
        }

        /** Returns max(changes) / norm. */
        public double relativeChange() {
            double largest =
                    changes.stream().mapToDouble(Double::doubleValue).max().orElse(0);
            return norm == 0 ? 0 : largest / norm;
        }
    }

    /**
     * Statistics of one layer. <em>Immutable.</em>
     *
     * @param relativeChange √(Σ‖δ‖² / Σ‖θ‖²) over its tensors, where δ is the largest difference of a tensor and θ its first
     *     source
     * @param conflicts the fraction of its elements with differences of both signs
     */
    public record LayerSummary(int layer, double relativeChange, double conflicts) {

        static LayerSummary of(int layer, List<Statistics> tensors) {
            double change = 0;
            double norm = 0;
            double conflicts = 0;
            double elements = 0;
            for (Statistics tensor : tensors) {
                change += Math.pow(tensor.relativeChange() * tensor.norm(), 2);
                norm += tensor.norm() * tensor.norm();
                conflicts += tensor.conflicts() * tensor.elements();
                elements += tensor.elements();
            }
            return new LayerSummary(layer, norm == 0 ? 0 : Math.sqrt(change / norm), conflicts / elements);
        }
    }

    /**
     * An input file. <em>Immutable.</em>
     *
     * @param path the model's name in the plan, {@code /}, and the file's name
     * @param sha256 in lower-case hexadecimal digits
     */
    public record InputFile(String path, long bytes, String sha256) {}
}
