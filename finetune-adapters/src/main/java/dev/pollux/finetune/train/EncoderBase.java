package dev.pollux.finetune.train;

import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.inference.encoder.EncoderInputs;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.graph.Graph;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** The checkpoint of an encoder in training, with a head of one score if it is a reranker. <em>Confined to one thread.</em> */
final class EncoderBase implements AutoCloseable {

    /** The deviation of the first values of a new head, the default of transformers. */
    private static final double DEVIATION = 0.02;

    private static final String SCORES = "ForSequenceClassification";
    private static final String ANCHOR = "embeddings.word_embeddings.weight";

    /**
     * A class of transformers with a head.
     *
     * @param prefix of the base model's tensors in the class
     * @param first the layer before the scores
     * @param last the layer of scores
     */
    private record Head(String prefix, String first, String last) {}

    private static final Map<String, Head> HEADS = Map.of(
            "Bert", new Head("bert.", "bert.pooler.dense", "classifier"),
            "Roberta", new Head("roberta.", "classifier.dense", "classifier.out_proj"),
            "XLMRoberta", new Head("roberta.", "classifier.dense", "classifier.out_proj"),
            "Camembert", new Head("roberta.", "classifier.dense", "classifier.out_proj"),
            "Electra", new Head("electra.", "classifier.dense", "classifier.out_proj"),
            "MPNet", new Head("mpnet.", "classifier.dense", "classifier.out_proj"),
            "DistilBert", new Head("distilbert.", "pre_classifier", "classifier"));

    private final Path folder;
    private final TensorFile tensors;
    private final Map<String, Object> settings = new LinkedHashMap<>();
    private final List<String> whole = new ArrayList<>();
    private final boolean scores;

    private EncoderBase(Path folder, SafetensorsFolder stored, boolean scores, long seed) {
        this.folder = folder;
        this.scores = scores;
        String architecture = EncoderExport.architecture(folder);
        boolean has = EncoderExport.givesScores(folder);
        if (has && !scores) {
            throw new UnsupportedModelException(
                    folder + " holds a model that gives scores, not vectors; train it as a reranker");
        }
        if (!scores) {
            this.tensors = stored;
        } else if (has) {
            this.tensors = stored;
            head(stored);
        } else {
            this.tensors = headed(architecture, stored, seed);
        }
    }

    /**
     * Opens a checkpoint; the caller closes it.
     *
     * @param inputs of the folder of the model
     * @param scores whether the model is to give a score of a text, not vectors of its tokens
     * @param seed of the values of a new head
     * @throws UnsupportedModelException if it gives scores but is not to, or its class gets no new head
     */
    static EncoderBase open(EncoderInputs inputs, boolean scores, long seed) {
        Path folder = inputs.transformer();
        SafetensorsFolder stored = SafetensorsFolder.open(folder);
        try {
            return new EncoderBase(folder, stored, scores, seed);
        } catch (RuntimeException | Error e) {
            stored.close();
            throw e;
        }
    }

    private void head(TensorFile stored) {
        stored.tensors().keySet().stream()
                .filter(name -> name.matches("(classifier|score)\\..*"))
                .forEach(whole::add);
        boolean one = whole.stream()
                .filter(name -> name.matches("(classifier|score|classifier\\.out_proj)\\.weight"))
                .anyMatch(name -> stored.info(name).dim(0) == 1);
        if (!one) {
            throw new UnsupportedModelException(folder
                    + " must give one score but gives more; train a model with one label, or one without a head");
        }
    }

    private TensorFile headed(String architecture, TensorFile stored, long seed) {
        String stem = architecture.replaceAll("(Model|ForMaskedLM|ForPreTraining)$", "");
        Head head = HEADS.get(stem);
        if (head == null) {
            throw new UnsupportedModelException(folder + ": a new head cannot be put on " + architecture
                    + "; train a cross-encoder, or one of "
                    + HEADS.keySet().stream().sorted().toList());
        }
        String anchor = stored.tensors().keySet().stream()
                .filter(name -> name.equals(ANCHOR) || name.endsWith("." + ANCHOR))
                .findFirst()
                .orElse(ANCHOR);
        HeadedTensors made =
                new HeadedTensors(stored, anchor.substring(0, anchor.length() - ANCHOR.length()), head.prefix);
        TensorInfo query = made.tensors().values().stream()
                .filter(info ->
                        info.name().endsWith("LayerNorm.bias") || info.name().endsWith("sa_layer_norm.bias"))
                .reduce((one, other) -> other)
                .orElseThrow(() -> new UnsupportedModelException(folder + " has no norms; it is no encoder"));
        long width = query.shape().get(0);
        SplittableRandom random = new SplittableRandom(seed);
        for (String layer : List.of(head.first, head.last)) {
            long rows = layer.equals(head.last) ? 1 : width;
            if (made.tensors().containsKey(layer + ".weight")) {
                continue; // a pooler that the model was trained with gets factors as other layers do
            }
            float[] values = new float[Math.toIntExact(rows * width)];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (DEVIATION * WeightFactors.gaussian(random));
            }
            made.add(layer + ".weight", List.of(rows, width), values);
            made.add(layer + ".bias", List.of(rows), new float[(int) rows]);
            whole.add(layer + ".weight");
            whole.add(layer + ".bias");
        }
        settings.put("architectures", List.of(stem + SCORES));
        settings.put("num_labels", 1);
        settings.put("id2label", Map.of("0", "LABEL_0"));
        settings.put("label2id", Map.of("LABEL_0", 0));
        return made;
    }

    /** The folder of the configuration and the weights. */
    Path folder() {
        return folder;
    }

    /** All tensors, under the names of the class that is trained. */
    TensorFile tensors() {
        return tensors;
    }

    /** What the configuration is to have in place of what it has. */
    Map<String, Object> settings() {
        return settings;
    }

    boolean scores() {
        return scores;
    }

    /** The names of the head's tensors, which are trained as a whole. */
    List<String> whole() {
        return whole;
    }

    /** The head's tensors as parameters. */
    List<Parameter> head() {
        return whole.stream()
                .map(name -> new Parameter(
                        name,
                        name.endsWith(".bias") ? Parameter.Kind.BIAS : Parameter.Kind.WHOLE,
                        tensors.info(name).shape(),
                        tensors.floats(name)))
                .toList();
    }

    Graph graph() {
        return EncoderExport.graph(folder, settings, tensors);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
