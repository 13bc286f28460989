package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.inference.checkpoint.GgufFamilies;
import dev.pollux.inference.checkpoint.GgufFamily;
import dev.pollux.inference.checkpoint.GgufTensors;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.HeldTensor;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads an adapter from a GGUF file written by llama.cpp's {@code convert_lora_to_gguf.py}. */
final class GgufAdapter {

    private static final String A = ".lora_a";
    private static final String B = ".lora_b";

    /** The matrix whose factor A is stored as (tokens, rank), one row per token. */
    private static final String EMBEDDING = "token_embd.weight";

    private final Path path;
    private final int headWidth;
    private final AdapterParts parts;
    private final Map<String, Double> scales = new TreeMap<>();

    private GgufAdapter(Path path, int headWidth) {
        this.path = path;
        this.headWidth = headWidth;
        this.parts = new AdapterParts(path, PeftConfig.DEFAULTS);
    }

    /** @param headWidth the width of an attention head of the model */
    static GgufAdapter read(Path path, int headWidth) {
        GgufAdapter adapter = new GgufAdapter(path, headWidth);
        adapter.read();
        adapter.parts.check();
        return adapter;
    }

    AdapterParts parts() {
        return parts;
    }

    /** The scale of each product, by target. */
    Map<String, Double> scales() {
        return scales;
    }

    private void read() {
        try (GgufFile file = GgufFile.open(path)) {
            require(file, "general.type", "adapter");
            require(file, "adapter.type", "lora");
            String architecture = file.string("general.architecture").orElse("");
            GgufFamily family = Optional.ofNullable(GgufFamilies.named(architecture))
                    .orElseThrow(() -> new UnsupportedModelException(path + ": the architecture '" + architecture
                            + "' is not supported, only " + GgufFamilies.known() + "; use the adapter's PEFT folder"));
            double alpha = file.number("adapter.lora.alpha").orElse(0.0);
            if (!Double.isFinite(alpha)) {
                throw new MalformedFileException(path + ": adapter.lora.alpha must be a finite number but is " + alpha
                        + "; download the adapter again");
            }
            file.tensors().forEach((name, info) -> requireFactor(file, name, info));
            // Rows of B are permuted like the matrix rows; A has the matrix columns, which keep their order.
            GgufTensors left = GgufTensors.ofAdapter(new LeftFactors(file), headWidth, family);
            left.tensors().forEach((name, b) -> {
                TensorInfo a = file.info(b.name() + A);
                boolean embedding = b.name().equals(EMBEDDING);
                float[] right = file.floats(a.name());
                long rank = a.shape().get(embedding ? 1 : 0);
                long columns = a.shape().get(embedding ? 0 : 1);
                float[] byRank = embedding ? transposed(right, (int) columns, (int) rank) : right;
                add(name, Part.A, a.name(), new HeldTensor(List.of(rank, columns), byRank, path + ":" + a.name()));
                add(
                        name,
                        Part.B,
                        b.name() + B,
                        new HeldTensor(b.shape(), left.floats(name), path + ":" + b.name() + B));
                scales.put(name, alpha == 0 ? 1 : alpha / rank);
            });
        }
    }

    private void add(String target, Part part, String key, TensorSource values) {
        boolean embedding = LayerName.isEmbedding(target);
        parts.add(new PeftTensor(target, part, embedding), new AdapterTensor(key, DType.F32, values));
    }

    /** The transpose of a (rows, columns) matrix. */
    private static float[] transposed(float[] x, int rows, int columns) {
        float[] y = new float[x.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                y[j * rows + i] = x[i * columns + j];
            }
        }
        return y;
    }

    private void require(GgufFile file, String key, String value) {
        String found = file.string(key).orElse("absent");
        if (!found.equals(value)) {
            throw new UnsupportedModelException(path + " is not an adapter: " + key + " must be '" + value + "' but is "
                    + found + "; give it as a model, not as an adapter");
        }
    }

    private void requireFactor(GgufFile file, String name, TensorInfo info) {
        String other = name.endsWith(A) ? B : A;
        if (!name.endsWith(A) && !name.endsWith(B)
                || !file.tensors().containsKey(name.substring(0, name.length() - A.length()) + other)) {
            throw new MalformedFileException(path + ": " + name + " must be one of two factors " + A + " and " + B
                    + "; download the adapter again");
        }
        if (info.shape().size() != 2) {
            throw new UnsupportedModelException(path + ": " + name + " changes experts (" + info.shape()
                    + "), which cannot be added to a running model; merge it into the model first");
        }
    }

    /** The factors B by the names of the matrices they change. */
    private static final class LeftFactors implements TensorFile {

        private final TensorFile file;
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

        LeftFactors(TensorFile file) {
            this.file = file;
            file.tensors().forEach((name, info) -> {
                if (name.endsWith(B)) {
                    String matrix = name.substring(0, name.length() - B.length());
                    tensors.put(
                            matrix,
                            new TensorInfo(matrix, info.type(), info.shape(), info.offset(), info.byteLength()));
                }
            });
        }

        @Override
        public Map<String, TensorInfo> tensors() {
            return Collections.unmodifiableMap(tensors);
        }

        @Override
        public ByteBuffer bytes(String name, long offset, int length) {
            return file.bytes(name + B, offset, length);
        }

        @Override
        public void close() {
            // the opener owns the file
        }
    }
}
