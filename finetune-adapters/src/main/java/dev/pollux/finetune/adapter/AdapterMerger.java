package dev.pollux.finetune.adapter;

import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LoraWriter;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.internal.math.CounterRandom;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Merges LoRA adapters of one base model into one adapter, without the base.
 *
 * <p>Inputs and result are folders in the format of PEFT: {@code adapter_config.json} and {@code adapter_model.safetensors}.
 * The factors of the result are 32-bit floats, and its scale is 1.
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

    /** Returns a merger without adapters. */
    public static AdapterMerger with(AdapterMethod method) {
        return new AdapterMerger(method);
    }

    /**
     * Adds an adapter.
     *
     * @param weight finite; not negative for {@link AdapterMethod.OnFactors}
     */
    public AdapterMerger adapter(Path folder, double weight) {
        if (!Double.isFinite(weight)) {
            throw new IllegalArgumentException("weight must be a finite number but was " + weight);
        }
        if (weight < 0 && method instanceof AdapterMethod.OnFactors) {
            throw new IllegalArgumentException("weight must not be negative but was " + weight
                    + ", and its root multiplies each factor; use CoreSpace or Concatenated");
        }
        folders.add(folder);
        weights.add(weight);
        return this;
    }

    /** Sets the seed of random thinning; default 0. */
    public AdapterMerger seed(long seed) {
        this.seed = seed;
        return this;
    }

    /**
     * Merges into {@code target}, a folder that must not exist. The folder appears when it is complete.
     *
     * @return a job whose result is the rank of each merged change by matrix name; before the first write it fails as {@link
     *     #preview} does, or with {@link IllegalArgumentException} if {@code target} exists
     */
    public Job<Map<String, Integer>> merge(Path target) {
        List<Path> from = List.copyOf(folders);
        List<Double> shares = List.copyOf(weights);
        return Job.of("merge adapters", context -> {
            if (Files.exists(target)) {
                throw new IllegalArgumentException(target + " must not exist; choose another folder or delete it");
            }
            return opened(from, adapters -> {
                AdapterTargets targets = AdapterTargets.of(adapters);
                Map<String, Factors> merged = merged(targets, shares, context);
                ArtifactManifest manifest = manifest(from, shares, context);
                return write(targets, merged, manifest, target, context);
            });
        });
    }

    /**
     * Checks that the adapters can be merged. Writes nothing.
     *
     * @return the maximum rank of each merged change by matrix name; {@link AdapterMethod.CoreSpace} can produce lower ranks
     * @throws IllegalArgumentException if there is no adapter, or the adapters are incompatible
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if an adapter contains anything other than LoRA factors of matrices
     */
    public Map<String, Integer> preview() {
        return opened(List.copyOf(folders), adapters -> {
            Map<String, Integer> ranks = new LinkedHashMap<>();
            AdapterTargets targets = AdapterTargets.of(adapters);
            for (String target : targets.names()) {
                List<Factors> changes = targets.factors(target).stream()
                        .flatMap(Optional::stream)
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

    private static <T> T opened(List<Path> folders, Function<List<LoraAdapter>, T> use) {
        if (folders.isEmpty()) {
            throw new IllegalArgumentException("adapters must not be empty; add at least one");
        }
        List<LoraAdapter> adapters = new ArrayList<>();
        try {
            folders.forEach(folder -> adapters.add(open(folder)));
            return use.apply(adapters);
        } finally {
            adapters.forEach(LoraAdapter::close);
        }
    }

    private static LoraAdapter open(Path folder) {
        LoraAdapter adapter = LoraAdapter.load(folder);
        Optional<String> other = adapter.otherThanFactors();
        if (other.isPresent()) {
            adapter.close();
            throw new UnsupportedModelException("The adapter " + folder + " has " + other.get()
                    + ", and only products of factors can be added up; merge each adapter with the base (base+adapter)"
                    + " and then the models");
        }
        return adapter;
    }

    private Map<String, Factors> merged(AdapterTargets targets, List<Double> shares, JobContext context) {
        Map<String, Factors> merged = new TreeMap<>();
        int count = targets.names().size();
        for (String target : targets.names()) {
            context.checkCancelled();
            context.progress("merge", merged.size(), count, "matrices");
            List<Factors> changes = new ArrayList<>();
            List<Double> present = new ArrayList<>();
            List<Optional<Factors>> all = targets.factors(target);
            for (int i = 0; i < all.size(); i++) {
                double share = shares.get(i);
                all.get(i).ifPresent(change -> {
                    changes.add(change);
                    present.add(share);
                });
            }
            check(target, changes);
            merged.put(target, new FactorMerge(present, changes, CounterRandom.key(seed, target)).by(method));
        }
        context.progress("merge", count, count, "matrices");
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

    private ArtifactManifest manifest(List<Path> from, List<Double> shares, JobContext context) {
        ArtifactManifest.Builder manifest = ArtifactManifest.builder(ArtifactManifest.Kind.ADAPTER, "merge-adapters");
        for (Path adapter : from) {
            InputHashes inputs = InputHashes.of(String.valueOf(adapter.getFileName()), adapter);
            inputs.all(context);
            manifest.inputs(inputs.inputs());
        }
        return manifest.option("method", method)
                .option("weights", shares)
                .seed(seed)
                .build();
    }

    private static Map<String, Integer> write(
            AdapterTargets targets,
            Map<String, Factors> merged,
            ArtifactManifest manifest,
            Path target,
            JobContext context) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        merged.forEach((name, factors) -> ranks.put(name, factors.rank()));
        PeftConfig config = MergedAdapterConfig.of(targets);
        return WorkFolder.publish(target, "adapter merge", context, work -> {
            try (LoraWriter out = LoraWriter.create(work.path(), merged.keySet(), List.of())) {
                merged.forEach((name, factors) -> out.factors(name, factors.rounded(name, targets.isEmbedding(name))));
                out.finish(config).forEach(context::notice);
            }
            manifest.write(work.path());
            return ranks;
        });
    }
}
