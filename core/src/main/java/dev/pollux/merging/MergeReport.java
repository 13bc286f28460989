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
 * What a merge did. <em>Immutable.</em>
 *
 * @param folder the merged model
 * @param tensors by name
 * @param bytesWritten of weights
 * @param resumedTensors how many an earlier, interrupted run had finished
 * @param seed of the random numbers
 * @param notices what the plan's check found that did not stop the merge
 * @param inputs the files of all models and adapters with their hashes; empty if hashing was switched off
 * @param carriedFiles the files of the result that came from the inputs as they are, such as a tokenizer, relative to
 *     {@code folder} with {@code /} between names, sorted
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

    /** The tensors of each layer taken together, by layer; those without statistics do not count. */
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
     * What one tensor got. <em>Immutable.</em>
     *
     * @param method with its parameters for this tensor
     * @param facts what the method saw, such as {@code branch} → {@code lerp}, or {@code nonzero}, the share of each
     *     difference that was kept
     * @param statistics of its sources; empty for a single source, or if they were switched off
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

        /** The first number among the parts of its name. */
        public OptionalInt layer() {
            return Arrays.stream(name.split("\\."))
                    .filter(part -> part.matches("[0-9]{1,6}"))
                    .mapToInt(Integer::parseInt)
                    .findFirst();
        }
    }

    /**
     * How the N sources of a tensor lie to one another; differences are from the first source, the base where there is one.
     * <em>Immutable.</em>
     *
     * @param norm Euclidean norm of the first source
     * @param changes (N − 1), norms of the differences
     * @param cosines of each pair of sources, (0, 1), (0, 2) … (1, 2) …; NaN where one is 0
     * @param changeCosines as {@code cosines}, of each pair of differences
     * @param conflicts the share of elements where one difference is above 0 and another below, in [0, 1]
     * @param elements of the tensor
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

        /** The largest difference's norm as a share of the first source's. */
        public double relativeChange() {
            double largest =
                    changes.stream().mapToDouble(Double::doubleValue).max().orElse(0);
            return norm == 0 ? 0 : largest / norm;
        }
    }

    /**
     * One layer. <em>Immutable.</em>
     *
     * @param relativeChange √(Σ‖δ‖² / Σ‖θ‖²) over its tensors, δ the largest difference of each
     * @param conflicts the share of its elements where differences have opposite signs
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
     * A file that was read. <em>Immutable.</em>
     *
     * @param path the model's name in the plan, {@code /}, and the file's name
     * @param sha256 in lower-case hexadecimal digits
     */
    public record InputFile(String path, long bytes, String sha256) {}
}
