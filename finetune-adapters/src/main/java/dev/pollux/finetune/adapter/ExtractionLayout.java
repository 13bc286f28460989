package dev.pollux.finetune.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.TiedHead;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Assigns each tensor of two models to one of three groups: factored, stored whole, or left out.
 *
 * @param linears matrices to factor
 * @param whole tensors to store as they are
 * @param left tensors that are not part of the adapter
 */
record ExtractionLayout(List<Factored> linears, List<Whole> whole, List<String> left) {

    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";
    private static final int WINDOW = 1 << 16;

    /**
     * A matrix to factor.
     *
     * @param bias the module's bias, if both models have one
     * @param embedding whether it is a lookup table, which PEFT factors as its transpose
     */
    record Factored(String module, TensorSource base, TensorSource tuned, Optional<BiasPair> bias, boolean embedding) {

        int rows() {
            return (embedding ? base.shape().get(1) : base.shape().get(0)).intValue();
        }

        int columns() {
            return (embedding ? base.shape().get(0) : base.shape().get(1)).intValue();
        }
    }

    /** A bias of both models. */
    record BiasPair(TensorSource base, TensorSource tuned) {}

    /**
     * A tensor to store.
     *
     * @param unless if the source equals this tensor, it is not stored
     */
    record Whole(String module, String tensor, TensorSource source, DType type, Optional<TensorSource> unless) {}

    static ExtractionLayout of(InputModel base, InputModel tuned, LoraExtractionOptions options) {
        List<Factored> linears = new ArrayList<>();
        List<Whole> whole = new ArrayList<>();
        List<String> left = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(tuned.tensors().keySet());
        Optional<String> tied = tiedHead(base, tuned);
        for (String name : base.tensors().keySet()) {
            if (!names.contains(name) && !LayerName.isHead(name)) {
                throw new MalformedFileException("model " + tuned.label() + " has no " + name + ", which "
                        + base.label() + " has; the two must have one architecture");
            }
        }
        tied.ifPresent(names::add);
        for (String name : names) {
            Optional<TensorSource> found = tuned.tensor(name);
            if (found.isEmpty()) {
                continue;
            }
            TensorSource after = found.get();
            String module = module(name);
            boolean vocabulary = LayerName.isEmbedding(name) || LayerName.isHead(name);
            boolean matrix = name.endsWith(WEIGHT) && after.shape().size() == 2;
            boolean factored =
                    matrix && !(vocabulary && options.embeddings() == LoraExtractionOptions.Embeddings.WHOLE);
            boolean biasOfMatrix = name.endsWith(BIAS) && isMatrix(tuned, module + WEIGHT);
            String source = tuned.nameOf(name).orElse(name);
            if (!options.wants(module) || !options.wants(module(source))) {
                left.add(name);
            } else if (factored) {
                linears.add(factored(base, tuned, name, after));
            } else if (vocabulary || options.wholeOthers() && !biasOfMatrix) {
                Optional<TensorSource> unless = tied.filter(name::equals).flatMap(base::tensor);
                whole.add(new Whole(module, name, after, stored(tuned, source), unless));
            } else if (!biasOfMatrix) {
                left.add(name);
            }
        }
        return new ExtractionLayout(linears, whole, left);
    }

    /**
     * The head that is tied to the fine-tuned model's embedding. An adapter leaves every tensor that it does not contain as in
     * the base. This includes a tied head, even if the adapter changes the embedding.
     */
    private static Optional<String> tiedHead(InputModel base, InputModel tuned) {
        Optional<TiedHead> tied = TiedHead.of(tuned.config(), tuned.tensors().keySet());
        return tied.map(head -> base.tensors().keySet().stream()
                .filter(LayerName::isHead)
                .findFirst()
                .orElse(head.head()));
    }

    /** Returns the layout without tensors that equal those of the base. */
    ExtractionLayout changed() {
        List<Whole> kept = whole.stream()
                .filter(tensor -> tensor.unless().isEmpty()
                        || !same(tensor.source(), tensor.unless().get()))
                .toList();
        return new ExtractionLayout(linears, kept, left);
    }

    private static boolean same(TensorSource one, TensorSource other) {
        if (!one.shape().equals(other.shape())) {
            return false;
        }
        TensorSource first = one.ready();
        TensorSource second = other.ready();
        float[] a = new float[(int) Math.min(WINDOW, one.elements())];
        float[] b = new float[a.length];
        for (long at = 0; at < one.elements(); at += a.length) {
            int count = (int) Math.min(a.length, one.elements() - at);
            first.read(at, count, a, 0);
            second.read(at, count, b, 0);
            if (!Arrays.equals(a, 0, count, b, 0, count)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isMatrix(InputModel model, String name) {
        TensorSource source = model.tensors().get(name);
        return source != null && source.shape().size() == 2;
    }

    private static Factored factored(InputModel base, InputModel tuned, String name, TensorSource after) {
        TensorSource before = base.tensor(name)
                .orElseThrow(() -> new MalformedFileException("model " + base.label() + " has no " + name + ", which "
                        + tuned.label() + " has; the two must have one architecture"));
        if (!before.shape().equals(after.shape())) {
            throw new MalformedFileException("Cannot factor " + name + ": " + base.label() + " is " + before.shape()
                    + ", " + tuned.label() + " is " + after.shape()
                    + (LayerName.isEmbedding(name) || LayerName.isHead(name)
                            ? "; store embeddings whole"
                            : "; the two must have one architecture"));
        }
        if (before.elements() > Integer.MAX_VALUE - 8) {
            throw new UnsupportedModelException(
                    "Cannot factor " + name + ": " + before.elements() + " elements are more than an array holds");
        }
        stored(base, base.nameOf(name).orElse(name));
        stored(tuned, tuned.nameOf(name).orElse(name));
        String module = module(name);
        TensorSource biasBefore = base.tensors().get(module + BIAS);
        TensorSource biasAfter = tuned.tensors().get(module + BIAS);
        Optional<BiasPair> bias = biasBefore == null || biasAfter == null
                ? Optional.empty()
                : Optional.of(new BiasPair(biasBefore, biasAfter));
        return new Factored(module, before, after, bias, LayerName.isEmbedding(name));
    }

    private static DType stored(InputModel model, String name) {
        DType type = model.type(name);
        if (type == null || !StoredTensor.READABLE.contains(type)) {
            throw new UnsupportedModelException("model " + model.label() + " stores " + name + " as " + type
                    + ", only F32, F16, BF16 and F64 can be read");
        }
        return type == DType.F64 ? DType.F32 : type;
    }

    private static String module(String tensor) {
        int dot = tensor.lastIndexOf('.');
        return dot < 0 ? tensor : tensor.substring(0, dot);
    }

    LoraExtractionPreview preview(LoraExtractionOptions options) {
        long bytes = 0;
        List<LoraExtractionPreview.Matrix> matrices = new ArrayList<>();
        for (Factored matrix : linears) {
            int most = Math.min(options.rank(), Math.min(matrix.rows(), matrix.columns()));
            bytes += 4L * most * ((long) matrix.rows() + matrix.columns());
            bytes += matrix.bias().isPresent() ? 4L * matrix.rows() : 0;
            matrices.add(new LoraExtractionPreview.Matrix(matrix.module(), matrix.rows(), matrix.columns(), most));
        }
        for (Whole tensor : whole) {
            bytes += tensor.source().elements() * tensor.type().blockBytes();
        }
        return new LoraExtractionPreview(
                matrices, whole.stream().map(Whole::tensor).toList(), left, bytes);
    }
}
