package dev.pollux.inference.gguf;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.GgufFamilies;
import dev.pollux.inference.checkpoint.GgufFamily;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.BlockEncoder;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.GgufValue;
import dev.pollux.tensor.GgufWriter;
import dev.pollux.tensor.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Writes LoRA adapters as GGUF files, which llama.cpp and Ollama apply to a model. <em>Thread-safe.</em> */
public final class GgufAdapterExport {

    /*
     * The file has two tensors for each matrix, NAME.lora_a of (rank, columns) and NAME.lora_b of (rows, rank), with the names of the
     * model's own GGUF file. For an embedding lora_a is transposed. Where a family stores the rows of q and k in
     * neighbouring pairs, those of lora_b are, too.
     *
     * The scale of a product is adapter.lora.alpha / rank, with one alpha for all. Factors B of products with another scale are
     * multiplied by the difference.
     */

    /** The types of factors: others have blocks that are longer than a rank. */
    public static final Set<GgufType> TYPES = Set.of(GgufType.F32, GgufType.F16, GgufType.BF16);

    private static final String EMBEDDING = "token_embd.weight";

    private static final float MOST_HALF = 65_504;

    private GgufAdapterExport() {}

    /**
     * Writes an adapter.
     *
     * @param adapter low-rank factors alone
     * @param base the model of the adapter, a Hugging Face folder or a GGUF file, whose headers are read
     * @param type of the factors, one of {@link #TYPES}
     * @param file must not exist; it appears when it is complete
     * @throws IllegalArgumentException if the file exists, the type is another one, or a factor is too large for half precision
     * @throws UnsupportedModelException if the format has no place for a part of the adapter, such as DoRA's magnitudes, or the
     *     architecture is not known in GGUF
     * @throws MalformedFileException if the adapter changes a matrix that the model does not have, or has other sizes
     */
    public static void write(LoraAdapter adapter, Checkpoint base, GgufType type, Path file) {
        if (!TYPES.contains(type)) {
            throw new IllegalArgumentException("type must be f32, f16 or bf16 but was " + type.text());
        }
        if (Files.exists(file)) {
            throw new IllegalArgumentException(file + " must not exist; choose another file or delete it");
        }
        Optional<String> other = adapter.otherThanFactors();
        if (other.isPresent()) {
            throw new UnsupportedModelException("The adapter " + adapter.name() + " has " + other.get()
                    + ", for which a GGUF file has no place; merge it into the model instead");
        }
        String architecture = architecture(base);
        GgufFamily family = Optional.ofNullable(GgufFamilies.named(architecture))
                .orElseThrow(() -> new UnsupportedModelException(base.path() + ": the architecture '" + architecture
                        + "' is not known in GGUF; known are " + GgufFamilies.known()));
        List<Factor> factors = factors(adapter, base, family);
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.string(architecture));
        metadata.put("general.type", GgufValue.string("adapter"));
        metadata.put("general.name", GgufValue.string(adapter.name()));
        metadata.put("general.file_type", GgufValue.u32(type.fileType()));
        metadata.put("adapter.type", GgufValue.string("lora"));
        metadata.put("adapter.lora.alpha", GgufValue.f32(alpha(factors)));
        List<GgufWriter.Tensor> layout = factors.stream()
                .map(one -> new GgufWriter.Tensor(one.name(), type.type(), one.shape()))
                .toList();
        WorkFolder.publishFile(file, JobContext.NONE, part -> {
            try (GgufWriter out = GgufWriter.create(part, metadata, layout)) {
                factors.forEach(one -> out.append(bytes(one, alpha(factors), type.type())));
                out.finish();
            }
        });
    }

    private static String architecture(Checkpoint base) {
        if (Files.isDirectory(base.path()) && Files.exists(base.path().resolve("config.json"))) {
            return HubMetadata.of(base).architecture();
        }
        Path file = base.files().stream()
                .filter(one -> one.toString().endsWith(".gguf"))
                .findFirst()
                .orElse(base.path());
        try (GgufFile gguf = GgufFile.open(file)) {
            return gguf.string("general.architecture").orElse("");
        }
    }

    /**
     * A tensor of the file.
     *
     * @param values as the adapter has them, (rows, columns)
     * @param isTransposed whether the file has the transpose
     * @param head width of a head whose rows are stored in pairs; 0 for rows in order
     * @param isSecond whether it is a factor B
     * @param change the product that it belongs to
     */
    private record Factor(
            String name, TensorSource values, boolean isTransposed, int head, boolean isSecond, LowRankChange change) {

        List<Long> shape() {
            List<Long> shape = values.shape();
            return isTransposed ? List.of(shape.get(1), shape.get(0)) : shape;
        }
    }

    private static List<Factor> factors(LoraAdapter adapter, Checkpoint base, GgufFamily family) {
        HubNames names = new HubNames(family, HubMetadata.plain());
        Set<String> tensors = base.tensors().tensors().keySet();
        List<Factor> factors = new ArrayList<>();
        adapter.factorsNamed(tensors).forEach((hub, change) -> {
            if (!tensors.contains(hub)) {
                throw new MalformedFileException("The adapter " + adapter.name() + " changes " + hub + ", which "
                        + base.path() + " does not have; give the model that it was trained on");
            }
            List<Long> shape = base.tensors().info(hub).shape();
            if (!shape.equals(List.of((long) change.rows(), (long) change.columns()))) {
                throw new MalformedFileException("The adapter " + adapter.name() + " changes " + hub + " of ["
                        + change.rows() + ", " + change.columns() + "], which is " + shape + " in " + base.path()
                        + "; give the model that it was trained on");
            }
            String name = names.of(hub)
                    .filter(one -> one.expert() < 0)
                    .map(HubNames.Name::text)
                    .orElseThrow(() -> new UnsupportedModelException("The adapter " + adapter.name() + " changes " + hub
                            + ", for which a GGUF adapter has no place; merge it into the model instead"));
            boolean paired = family.pairs() && (hub.contains(".q_proj.") || hub.contains(".k_proj."));
            factors.add(new Factor(name + ".lora_a", change.a(), name.equals(EMBEDDING), 0, false, change));
            factors.add(new Factor(
                    name + ".lora_b", change.b(), false, paired ? base.config().headDim() : 0, true, change));
        });
        if (factors.isEmpty()) {
            throw new MalformedFileException("The adapter " + adapter.name() + " has no factors, so there is nothing to"
                    + " write; train it first");
        }
        return factors;
    }

    /** That of the first product. */
    private static double alpha(List<Factor> factors) {
        LowRankChange first = factors.get(0).change();
        return first.scale() * first.rank();
    }

    private static ByteBuffer bytes(Factor one, double alpha, DType type) {
        List<Long> shape = one.values().shape();
        int rows = Math.toIntExact(shape.get(0));
        int columns = Math.toIntExact(shape.get(1));
        float[] values = new float[Math.multiplyExact(rows, columns)];
        one.values().ready().read(0, values.length, values, 0);
        double written = alpha / one.change().rank();
        float factor = one.isSecond() ? (float) (one.change().scale() / written) : 1;
        float[] stored = new float[values.length];
        int outer = one.isTransposed() ? columns : rows;
        int inner = values.length / outer;
        for (int i = 0; i < outer; i++) {
            int row = one.head() == 0 ? i : paired(i, one.head());
            for (int j = 0; j < inner; j++) {
                float value = one.isTransposed() ? values[j * columns + i] : values[row * columns + j];
                stored[i * inner + j] = checked(value * factor, one.name(), type);
            }
        }
        int bytes = Math.multiplyExact(stored.length, type.blockBytes());
        ByteBuffer encoded = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        BlockEncoder.encode(type, stored, 0, stored.length, encoded);
        return encoded.flip();
    }

    private static float checked(float value, String name, DType type) {
        if (type == DType.F16 && Math.abs(value) > MOST_HALF) {
            throw new IllegalArgumentException(
                    name + " must be at most " + MOST_HALF + " for type f16 but has " + value + "; choose f32");
        }
        return value;
    }

    /** The row that is stored as row {@code to}; see {@link ElementSource.Paired}. */
    private static int paired(int to, int head) {
        int within = to % head;
        return to - within + within % 2 * (head / 2) + within / 2;
    }
}
