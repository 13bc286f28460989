package dev.pollux.inference.encoder.export;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The tensors of an encoder's checkpoint. It detects their prefix, checks shapes against the configuration, and tracks use,
 * so that no tensor is ignored silently.
 */
final class StoredTensors {

    /** Tensors derived from the configuration, and heads of tasks other than vectors or scores. */
    private static final Pattern IDLE = Pattern.compile("(.*\\.)?(embeddings\\.position_ids|embeddings\\.token_type_ids"
            + "|embeddings\\.position_embeddings\\..*"
            + "|inv_freq|original_inv_freq|pooler\\..*|cls\\..*|lm_head\\..*|embed_out\\..*|output_projection\\..*"
            + "|lm_predictions\\..*|mask_predictions\\..*"
            + "|vocab_(transform|layer_norm|projector)\\..*|generator_(predictions|lm_head)\\..*"
            + "|discriminator_predictions\\..*)");

    private static final Pattern MASKED_HEAD = Pattern.compile("(head|decoder)\\..*");

    private final String source;
    private final TensorFile file;
    private final String prefix;
    private final Set<String> used;

    private StoredTensors(String source, TensorFile file, String prefix, Set<String> used) {
        this.source = source;
        this.file = file;
        this.prefix = prefix;
        this.used = used;
    }

    /** Named in errors. */
    String source() {
        return source;
    }

    /**
     * The tensors under the prefix with which {@code anchor} is stored, such as {@code bert.} or none.
     *
     * @param anchor the table of token vectors, which every encoder has
     */
    static StoredTensors of(String source, TensorFile file, String anchor) {
        String found = file.tensors().keySet().stream()
                .filter(name -> name.equals(anchor) || name.endsWith("." + anchor))
                .min(Comparator.comparingInt(String::length))
                .orElse(anchor);
        return new StoredTensors(source, file, found.substring(0, found.length() - anchor.length()), new HashSet<>());
    }

    /** The same tensors by their full names, as those of heads stand beside the encoder and not in it. */
    StoredTensors outside() {
        return new StoredTensors(source, file, "", used);
    }

    String full(String name) {
        return prefix + name;
    }

    boolean has(String name) {
        return file.tensors().containsKey(prefix + name);
    }

    /** A tensor, which must have this shape. */
    TensorInfo require(String name, long... shape) {
        String full = prefix + name;
        TensorInfo info = file.tensors().get(full);
        List<Long> expected = Arrays.stream(shape).boxed().toList();
        if (info == null) {
            throw new MalformedFileException(source + " has no tensor " + full + " of shape " + expected
                    + "; it is incomplete, download it again");
        }
        if (!info.shape().equals(expected)) {
            throw new MalformedFileException(source + ": " + full + " must be of shape " + expected + " but is "
                    + info.shape() + "; the configuration and the weights do not belong together");
        }
        used.add(full);
        return info;
    }

    /** The first dimension of a tensor whose size no configuration gives. */
    int rows(String name) {
        TensorInfo info = file.tensors().get(prefix + name);
        if (info == null || info.shape().isEmpty()) {
            throw new MalformedFileException(
                    source + " has no tensor " + prefix + name + "; it is incomplete, download it again");
        }
        return info.dim(0);
    }

    /** The name prefix of the base model's tensors. */
    String prefix() {
        return prefix;
    }

    /** Counts tensors as used, by their full names. */
    void use(Set<String> names) {
        used.addAll(names);
    }

    TensorFile file() {
        return file;
    }

    int usedCount() {
        return used.size();
    }

    /**
     * Fails if a tensor was not used.
     *
     * @param maskedHead whether heads of masked language models may exist under short names
     */
    void refuseSurplus(String architecture, boolean maskedHead) {
        List<String> left = file.tensors().keySet().stream()
                .filter(name -> !used.contains(name) && !IDLE.matcher(name).matches())
                .filter(name -> !maskedHead || !MASKED_HEAD.matcher(name).matches())
                .sorted()
                .toList();
        if (!left.isEmpty()) {
            throw new UnsupportedModelException(source + ": the tensor " + left.get(0)
                    + (left.size() == 1 ? "" : " (and " + (left.size() - 1) + " more)") + " does not belong to "
                    + architecture + "; the model is of another kind than it says");
        }
    }
}
