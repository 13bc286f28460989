package dev.pollux.merge;

import dev.pollux.StorageException;
import dev.pollux.inference.checkpoint.PeftConfig;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ObjectNode;

/**
 * Merges LoRA adapters of one base model into one adapter, without the base.
 *
 * <p>Adapters are folders as PEFT writes them, {@code adapter_config.json} and {@code adapter_model.safetensors}; so is the
 * result, with factors in 32-bit floats and a scale of 1.
 *
 * <pre>{@code
 * AdapterMerger.with(AdapterMethod.CoreSpace.truncated(16))
 *         .adapter(Path.of("writer"), 0.6)
 *         .adapter(Path.of("coder"), 0.4)
 *         .merge(Path.of("both"))
 *         .run();
 * }</pre>
 *
 * <p><em>Not thread-safe: one thread at a time.</em>
 */
public final class AdapterMerger {

    private final AdapterMethod method;
    private final List<Path> folders = new ArrayList<>();
    private final List<Double> weights = new ArrayList<>();
    private long seed;

    private AdapterMerger(AdapterMethod method) {
        this.method = method;
    }

    /** A merger without adapters yet. */
    public static AdapterMerger with(AdapterMethod method) {
        return new AdapterMerger(method);
    }

    /**
     * Adds an adapter.
     *
     * @param weight finite; not negative for {@link AdapterMethod.OnFactors}
     */
    public AdapterMerger adapter(Path folder, double weight) {
        Weights.finite("weight", weight);
        if (weight < 0 && method instanceof AdapterMethod.OnFactors) {
            throw new IllegalArgumentException("weight must not be negative but was " + weight
                    + ", and its root multiplies each factor; use CoreSpace or Concatenated");
        }
        folders.add(folder);
        weights.add(weight);
        return this;
    }

    /** Seed of random thinning; default 0. */
    public AdapterMerger seed(long seed) {
        this.seed = seed;
        return this;
    }

    /**
     * Merges into {@code target}, a folder that must not exist; it appears when it is complete.
     *
     * @return a job whose result is the ranks of the merged changes by the name of the matrix
     */
    public Job<Map<String, Integer>> merge(Path target) {
        List<Path> from = List.copyOf(folders);
        List<Double> shares = List.copyOf(weights);
        return Job.of("merge adapters", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            return opened(from, adapters -> write(from.get(0), merged(adapters, shares, context), target));
        });
    }

    /**
     * What {@link #merge} would do: checks that the adapters fit together, and writes nothing.
     *
     * @return the largest ranks that the merged changes may have by the name of the matrix; with {@link AdapterMethod.CoreSpace}
     *     they can be less
     */
    public Map<String, Integer> preview() {
        return opened(List.copyOf(folders), adapters -> {
            Map<String, Integer> ranks = new LinkedHashMap<>();
            for (String target : targets(adapters)) {
                List<Factors> changes = adapters.stream()
                        .flatMap(adapter -> adapter.factors(target).stream())
                        .toList();
                check(target, changes);
                ranks.put(target, mostRank(changes));
            }
            return ranks;
        });
    }

    private int mostRank(List<Factors> changes) {
        Factors first = changes.get(0);
        int sum = changes.stream().mapToInt(Factors::rank).sum();
        if (method instanceof AdapterMethod.CoreSpace core) {
            return IntStream.of(core.rank(), sum, first.b().length, first.a()[0].length)
                    .min()
                    .orElse(sum);
        }
        return method instanceof AdapterMethod.OnFactors ? first.rank() : sum;
    }

    private static <T> T opened(List<Path> folders, Function<List<LoraWeights>, T> use) {
        if (folders.isEmpty()) {
            throw new IllegalArgumentException("adapters must not be empty; add at least one");
        }
        List<LoraWeights> adapters = new ArrayList<>();
        try {
            folders.forEach(folder -> adapters.add(LoraWeights.open(folder.toString(), folder)));
            return use.apply(adapters);
        } finally {
            adapters.forEach(LoraWeights::close);
        }
    }

    private static SortedSet<String> targets(List<LoraWeights> adapters) {
        TreeSet<String> targets = new TreeSet<>();
        adapters.forEach(adapter -> targets.addAll(adapter.targets()));
        return targets;
    }

    private Map<String, Factors> merged(List<LoraWeights> adapters, List<Double> shares, JobContext context) {
        SortedSet<String> targets = targets(adapters);
        Map<String, Factors> merged = new TreeMap<>();
        for (String target : targets) {
            context.checkCancelled();
            context.progress("merge", merged.size(), targets.size(), "matrices");
            List<Factors> changes = new ArrayList<>();
            List<Double> present = new ArrayList<>();
            for (int i = 0; i < adapters.size(); i++) {
                double share = shares.get(i);
                adapters.get(i).factors(target).ifPresent(change -> {
                    changes.add(change);
                    present.add(share);
                });
            }
            check(target, changes);
            merged.put(target, new FactorMerge(present, changes, CounterRandom.key(seed, target)).by(method));
        }
        context.progress("merge", targets.size(), targets.size(), "matrices");
        return merged;
    }

    private void check(String target, List<Factors> changes) {
        Factors first = changes.get(0);
        for (Factors change : changes) {
            if (change.b().length != first.b().length || change.a()[0].length != first.a()[0].length) {
                throw new IllegalArgumentException("Cannot merge " + target + ": one adapter changes ["
                        + first.b().length + ", " + first.a()[0].length + "], another [" + change.b().length + ", "
                        + change.a()[0].length + "]; merge adapters of one base");
            }
            if (method instanceof AdapterMethod.OnFactors && change.rank() != first.rank()) {
                throw new IllegalArgumentException("Cannot merge " + target + ": ranks are " + first.rank() + " and "
                        + change.rank() + ", and factors are merged element by element; use CoreSpace or Concatenated");
            }
        }
    }

    private static Map<String, Integer> write(Path first, Map<String, Factors> merged, Path target) {
        Path whole = target.toAbsolutePath().normalize();
        Path work = whole.resolveSibling("." + whole.getFileName() + ".part");
        Map<String, Integer> ranks = new LinkedHashMap<>();
        merged.forEach((name, factors) -> ranks.put(name, factors.rank()));
        try {
            WorkFolder.deleteTree(work);
            Files.createDirectories(work);
            JsonFiles.write(work.resolve(PeftConfig.CONFIG), config(first, ranks));
            weights(merged, work.resolve(PeftConfig.WEIGHTS));
            Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
            return ranks;
        } catch (IOException e) {
            throw new StorageException("Cannot write the adapter " + target + ": " + e, e);
        }
    }

    /** The first adapter's settings, with ranks and scales as they are now. */
    private static ObjectNode config(Path first, Map<String, Integer> ranks) {
        ObjectNode config =
                JsonFiles.read(first.resolve(PeftConfig.CONFIG)).orElseGet(JsonFiles.MAPPER::createObjectNode);
        int most = ranks.values().stream().mapToInt(rank -> rank).max().orElse(1);
        config.put("r", most).put("lora_alpha", most).put("use_rslora", false).put("inference_mode", true);
        ObjectNode rank = config.putObject("rank_pattern");
        ObjectNode alpha = config.putObject("alpha_pattern");
        TreeSet<String> modules = new TreeSet<>();
        ranks.forEach((tensor, r) -> {
            String module = module(tensor);
            modules.add(module.substring(module.lastIndexOf('.') + 1));
            if (r != most) {
                rank.put(module, r);
                alpha.put(module, r);
            }
        });
        var targets = config.putArray("target_modules");
        modules.forEach(targets::add);
        return config;
    }

    private static String module(String tensor) {
        return tensor.substring(0, tensor.length() - ".weight".length());
    }

    private static void weights(Map<String, Factors> merged, Path file) throws IOException {
        ObjectNode header = JsonFiles.MAPPER.createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        Map<String, double[][]> tensors = new TreeMap<>();
        merged.forEach((name, factors) -> {
            tensors.put("base_model.model." + module(name) + ".lora_A.weight", factors.a());
            tensors.put("base_model.model." + module(name) + ".lora_B.weight", factors.b());
        });
        long end = 0;
        for (Map.Entry<String, double[][]> tensor : tensors.entrySet()) {
            int rows = tensor.getValue().length;
            int columns = tensor.getValue()[0].length;
            ObjectNode entry = header.putObject(tensor.getKey());
            entry.put("dtype", "F32").putArray("shape").add(rows).add(columns);
            long next = end + 4L * rows * columns;
            entry.putArray("data_offsets").add(end).add(next);
            end = next;
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(text.length)
                    .array());
            out.write(text);
            for (double[][] tensor : tensors.values()) {
                for (double[] row : tensor) {
                    ByteBuffer bytes = ByteBuffer.allocate(4 * row.length).order(ByteOrder.LITTLE_ENDIAN);
                    for (double value : row) {
                        bytes.putFloat((float) value);
                    }
                    out.write(bytes.array());
                }
            }
        }
    }
}
