package dev.pollux.finetune.internal.model;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.adapter.TokenRows;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.ShiftedTensor;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Applies the changes of an adapter to the tensors of a model.
 *
 * @param label the adapter's name, for messages
 */
record AdapterOverlay(String label, LoraAdapter adapter) {

    /**
     * Opens an adapter for a model.
     *
     * @param config of the model
     */
    static AdapterOverlay open(String label, Path path, ObjectNode config) {
        return new AdapterOverlay(
                label,
                Files.isRegularFile(path) ? LoraAdapter.load(path, headWidth(label, config)) : LoraAdapter.load(path));
    }

    /** The dimension of a head, which determines the order of the rows of q and k in a GGUF file. */
    private static int headWidth(String label, ObjectNode config) {
        JsonNode text = config.path("text_config").isObject() ? config.path("text_config") : config;
        int heads = text.path("num_attention_heads").asInt(0);
        int width = text.path("head_dim")
                .asInt(heads < 1 ? 0 : text.path("hidden_size").asInt(0) / heads);
        if (width < 1) {
            throw new MalformedFileException(
                    "adapter " + label + " is a GGUF file, for which the configuration of its model must have"
                            + " head_dim, or hidden_size and num_attention_heads; use the adapter's PEFT"
                            + " folder");
        }
        return width;
    }

    /** The tensors that the adapter changes, under the adapter's names. */
    Set<String> targets() {
        return adapter.targets();
    }

    /**
     * Whether the head of a tied model changes with the embedding and stays tied. Trained tokens of the embedding apply to the
     * tied head, unless the head has its own.
     */
    boolean tiesHead() {
        return adapter.settings().is("ensure_weight_tying")
                || targets().stream()
                        .anyMatch(target -> LayerName.isEmbedding(target)
                                && adapter.tokens(target).isPresent());
    }

    /** The matrix on which the adapter was trained, if the adapter contains it. */
    Optional<TensorSource> base(String target) {
        return adapter.base(target);
    }

    /**
     * A tensor with its change.
     *
     * @param target one of {@link #targets}
     * @param tensor the model's
     * @param inOut whether the model stores the matrix as (in, out)
     * @param name of the result, for reports
     */
    TensorSource adapted(String target, TensorSource tensor, boolean inOut, String name) {
        TensorSource begun =
                adapter.whole(target).or(() -> adapter.base(target)).orElse(tensor);
        TensorSource changed = adapter.factors(target)
                .map(change -> multiplied(target, begun, change, inOut, name))
                .or(() -> adapter.addedBias(target).map(added -> shifted(target, begun, added, name)))
                .orElse(begun);
        return adapter.tokens(target)
                .map(rows -> replaced(target, changed, rows, name))
                .orElse(changed);
    }

    private TensorSource multiplied(
            String target, TensorSource matrix, LowRankChange change, boolean inOut, String name) {
        // PEFT's setting describes the module that it processed last
        boolean fanInFanOut = adapter.settings().is("fan_in_fan_out") && !LayerName.isHead(target);
        boolean transposed = change.embedding() || inOut || fanInFanOut;
        long rows = change.rows();
        long columns = change.columns();
        if (!matrix.shape().equals(transposed ? List.of(columns, rows) : List.of(rows, columns))) {
            throw new MalformedFileException("adapter " + label + " has factors "
                    + change.b().shape() + " and " + change.a().shape() + " for " + target + ", which is "
                    + matrix.shape() + "; use the model it was trained on");
        }
        return adapter.magnitude(target)
                .map(lengths -> change.addedTo(matrix, transposed, lengths, name))
                .orElseGet(() -> change.addedTo(matrix, transposed, name));
    }

    private TensorSource shifted(String target, TensorSource bias, TensorSource added, String name) {
        if (!added.shape().equals(bias.shape())) {
            throw new MalformedFileException("adapter " + label + " adds " + added.shape() + " to " + target
                    + ", which is " + bias.shape() + "; use the model it was trained on");
        }
        return new ShiftedTensor(bias, added, adapter.biasScale(target), name);
    }

    /** A matrix with the rows of trained tokens. */
    private TensorSource replaced(String target, TensorSource matrix, TokenRows trained, String name) {
        long width = trained.values().shape().get(1);
        if (matrix.shape().size() != 2 || matrix.shape().get(1) != width) {
            throw new MalformedFileException("adapter " + label + " holds rows of " + width + " values for " + target
                    + ", which is " + matrix.shape() + "; use the model it was trained on");
        }
        int count = Math.toIntExact(matrix.shape().get(0));
        RowTensor.Rows rows = new RowTensor.Rows(count);
        for (int i = 0; i < count; i++) {
            rows.take(i, 0, i);
        }
        for (int i = 0; i < trained.tokens().size(); i++) {
            int token = trained.tokens().get(i);
            if (token >= count) {
                throw new MalformedFileException("adapter " + label + " holds a row of token " + token + " but "
                        + target + " has " + count + " rows; add the tokens to the model first");
            }
            rows.take(token, 1, i);
        }
        return new RowTensor(List.of(matrix, trained.values()), rows, Math.toIntExact(width), name);
    }
}
