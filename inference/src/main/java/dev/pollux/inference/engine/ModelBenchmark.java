package dev.pollux.inference.engine;

import dev.pollux.job.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a model takes on this machine. <em>Immutable.</em>
 *
 * @param load the time to load the exported graph, without exporting it
 * @param residentBytes resident memory of this process after loading; of the Java heap where the system does not say
 * @param prefill by the tokens of a prompt, the tokens read per second
 * @param decode by the tokens before, the tokens that one request writes per second, without drafts
 * @param batch by the number of requests that share steps, the tokens that they write per second together
 * @param drafting what drafts gain where a text is repeated
 */
public record ModelBenchmark(
        Duration load, long residentBytes, List<Rate> prefill, List<Rate> decode, List<Rate> batch, Drafting drafting) {

    /** The numbers of tokens that are measured; those that do not fit the context are left out. */
    public static final List<Integer> TOKENS = List.of(128, 512, 2048);

    /** The numbers of requests that are measured. */
    public static final List<Integer> SEQUENCES = List.of(1, 2, 4, 8);

    /**
     * A rate.
     *
     * @param size tokens or requests, at least 1
     * @param tokensPerSecond above 0
     */
    public record Rate(int size, double tokensPerSecond) {}

    /**
     * The gain of drafts where a text is repeated.
     *
     * @param tokensPerStep tokens written per step, 1 for a model that does not draft
     * @param speedup the time without drafts, divided by that with drafts
     */
    public record Drafting(double tokensPerStep, double speedup) {}

    public ModelBenchmark {
        prefill = List.copyOf(prefill);
        decode = List.copyOf(decode);
        batch = List.copyOf(batch);
    }

    /**
     * Opens a model and measures it, for some seconds with a model of 0.1 billion weights and a minute with one of a billion. Other work
     * on the machine slows it down. Requests share steps whatever {@link EngineOptions#sequences()} is.
     *
     * @throws dev.pollux.StorageException from the job, if {@code path} does not exist
     * @throws dev.pollux.MalformedFileException from the job, if a file is damaged
     * @throws dev.pollux.UnsupportedModelException from the job, if the architecture or a tensor type is not supported
     */
    public static Job<ModelBenchmark> job(Path path, EngineOptions options) {
        int most = SEQUENCES.get(SEQUENCES.size() - 1);
        EngineOptions shared = options.toBuilder()
                .sequences(most)
                .drafting(false)
                .idleSequences(most)
                .prefixBytes(0)
                .build();
        return Job.of("bench", context -> {
            try (OnnxGenerator generator = context.run(OnnxGenerator.openJob(path, shared))) {
                return new BenchmarkRun(generator, context).measure(resident());
            }
        });
    }

    private static long resident() {
        Path status = Path.of("/proc/self/status");
        try {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
                }
            }
        } catch (IOException elsewhere) {
            return Runtime.getRuntime().totalMemory();
        }
        return Runtime.getRuntime().totalMemory();
    }
}
