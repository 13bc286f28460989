package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.merge.MixturePlan.Expert;
import dev.pollux.finetune.merge.MixturePlan.GateMode;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.internal.layerwise.HiddenStates;
import dev.pollux.inference.internal.layerwise.LayerRunner;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.math.Blas;
import dev.pollux.internal.math.CounterRandom;
import dev.pollux.internal.math.SymmetricEigen;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Calculates the rows of the routers. The row of an expert and layer is the normalized difference between the hidden states of
 * its positive and its negative prompts. <em>For one mixture.</em>
 */
final class RouterInit {

    private static final double LEAST_NORM = 1e-8;

    private final GateMode mode;
    private final InputModel base;
    private final String embedding;
    private final int layers;
    private final int width;
    private final int threads;
    private final JobContext job;

    /** @param threads the number of threads that run the base */
    RouterInit(GateMode mode, MixtureLayout layout, int threads, JobContext job) {
        this.mode = mode;
        this.threads = threads;
        this.base = layout.base();
        this.embedding = layout.embedding();
        this.layers = layout.layers();
        this.width = java.util.Objects.requireNonNull(base.tensors().get(embedding))
                .shape()
                .get(1)
                .intValue();
        this.job = job;
    }

    /**
     * Returns the rows of experts with prompts.
     *
     * @return (experts, layers, width), each row of length 1
     */
    List<double[][]> rows(List<Expert> experts) {
        Path folder = base.folder().orElseThrow(() -> new IllegalStateException("the base is in a folder"));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Tokenizer tokenizer = checkpoint
                        .tokenizer()
                        .orElseThrow(() -> new MalformedFileException("model " + base.label()
                                + " has no tokenizer, which prompts need; add it or choose gate_mode random"))) {
            String beginning = checkpoint.specialTokens().bos();
            List<int[]> texts = new ArrayList<>();
            for (Expert expert : experts) {
                expert.positivePrompts().forEach(text -> texts.add(ids(tokenizer, beginning, text)));
                expert.negativePrompts().forEach(text -> texts.add(ids(tokenizer, beginning, text)));
            }
            double[][][] states = new double[texts.size()][layers][]; // (texts, layers, width)
            if (mode == GateMode.CHEAP_EMBED) {
                embeddings(texts, states);
            } else {
                hiddenStates(checkpoint, texts, states);
            }
            return rows(experts, states);
        }
    }

    /** The token ids of a text, after one beginning-of-text token if the model has one. */
    private static int[] ids(Tokenizer tokenizer, String beginning, String text) {
        int[] ids = tokenizer.encode(text, false);
        OptionalInt first = beginning.isEmpty() ? OptionalInt.empty() : tokenizer.idOf(beginning);
        if (first.isEmpty() || ids.length > 0 && ids[0] == first.getAsInt()) {
            if (ids.length == 0) {
                throw new IllegalArgumentException("a prompt must hold at least one token but one was '" + text + "'");
            }
            return ids;
        }
        int[] more = new int[ids.length + 1];
        more[0] = first.getAsInt();
        System.arraycopy(ids, 0, more, 1, ids.length);
        return more;
    }

    private void embeddings(List<int[]> texts, double[][][] states) {
        TensorSource table =
                java.util.Objects.requireNonNull(base.tensors().get(embedding)).ready();
        float[] row = new float[width];
        for (int text = 0; text < states.length; text++) {
            job.checkCancelled();
            double[] sum = new double[width];
            for (int id : texts.get(text)) {
                if (id >= table.shape().get(0)) {
                    throw new MalformedFileException("model " + base.label() + " has "
                            + table.shape().get(0) + " embeddings but its tokenizer gives the id " + id
                            + "; the two do not belong together");
                }
                table.read((long) id * width, width, row, 0);
                for (int i = 0; i < width; i++) {
                    sum[i] += row[i];
                }
            }
            java.util.Arrays.fill(states[text], sum);
        }
    }

    /** Runs the base layer by layer; the states before a layer count for it. */
    private void hiddenStates(Checkpoint checkpoint, List<int[]> texts, double[][][] states) {
        int longest = texts.stream().mapToInt(text -> text.length).max().orElse(1);
        int context = checkpoint.config().contextLength();
        if (longest > context) {
            throw new IllegalArgumentException("a prompt has " + longest + " tokens, more than the " + context
                    + " that the model sees; shorten it");
        }
        SourcedTensors tensors = new SourcedTensors(base.tensors());
        ModelConfig config =
                checkpoint.config().withVocabularySize(tensors.info(embedding).dim(0)); // an adapter may add tokens
        LayerRunner runner = LayerRunner.of(config, checkpoint.settings(), tensors, longest, threads);
        try (HiddenStates x = runner.embed(texts, job)) {
            for (int layer = 0; layer < layers; layer++) {
                int at = layer;
                x.forEach((text, values) -> states[text][at] = chosen(values));
                job.progress("hidden states", layer + 1, layers, "layers");
                if (layer + 1 < layers) {
                    try (LayerRunner.Layer next = runner.layer(layer, job)) {
                        next.advance(x, job);
                    }
                }
            }
        }
    }

    /** The state of the last token, or the mean over the tokens; {@code states} is (tokens, width). */
    private double[] chosen(float[] states) {
        int tokens = states.length / width;
        int first = mode == GateMode.HIDDEN_AVG ? 0 : tokens - 1;
        double[] mean = new double[width];
        for (int i = first * width; i < states.length; i++) {
            mean[i % width] += states[i] / (double) (tokens - first);
        }
        return mean;
    }

    private List<double[][]> rows(List<Expert> experts, double[][][] states) {
        List<double[][]> rows = new ArrayList<>();
        int at = 0;
        for (Expert expert : experts) {
            int negative = at + expert.positivePrompts().size();
            int next = negative + expert.negativePrompts().size();
            double[][] row = new double[layers][];
            for (int layer = 0; layer < layers; layer++) {
                row[layer] = mean(states, at, negative, layer);
                Blas.add(-1, mean(states, negative, next, layer), row[layer], 0);
                normalize(row[layer]);
            }
            rows.add(row);
            at = next;
        }
        return rows;
    }

    /** The normalized sum (embeddings) or the mean (hidden states); zeros without texts. */
    private double[] mean(double[][][] states, int from, int to, int layer) {
        double[] sum = new double[width];
        for (int text = from; text < to; text++) {
            Blas.add(1.0 / (to - from), states[text][layer], sum, 0);
        }
        if (mode == GateMode.CHEAP_EMBED) {
            normalize(sum);
        }
        return sum;
    }

    private static void normalize(double[] x) {
        double norm = Math.max(LEAST_NORM, Math.sqrt(Blas.dot(x, x, 0)));
        for (int i = 0; i < x.length; i++) {
            x[i] /= norm;
        }
    }

    /** Random rows for one layer, (experts·width). */
    static float[] random(GateMode mode, int experts, int width, long seed, String tensor) {
        long key = CounterRandom.key(seed, tensor);
        float[] values = new float[experts * width];
        double bound = 1 / Math.sqrt(width);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float)
                    (mode == GateMode.RANDOM
                            ? NoisyTensor.normal(key, i)
                            : bound * (CounterRandom.bits(key, i) * 0x1p-52 - 1));
        }
        return values;
    }

    /** The condition number of a router, σ_max / σ_min. It is large if experts are hard to distinguish. */
    static double condition(float[] rows, int experts, int width) {
        if (experts > width) {
            return 1;
        }
        double[][] gram = new double[experts][experts];
        for (int i = 0; i < experts; i++) {
            for (int j = 0; j < experts; j++) {
                for (int k = 0; k < width; k++) {
                    gram[i][j] += (double) rows[i * width + k] * rows[j * width + k];
                }
            }
        }
        double[] values = SymmetricEigen.of(gram, () -> false).values();
        return Math.sqrt(values[0] / Math.max(values[experts - 1], 1e-300));
    }
}
