package dev.pollux.benchmarks.micro;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.sampling.Sampler;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One token chosen from the logits of a vocabulary. The logits are normally distributed with a few that stand out, as
 * those of language models are; a step of a small model takes some 10 ms.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SamplerBenchmark {

    private static final int PROMPT = 512;
    private static final int RESET = 256;

    /** Tokens of the vocabulary: that of SmolLM2 and that of Qwen 2.5. */
    @Param({"49152", "151936"})
    int vocabulary;

    /** What is asked of the sampler. */
    @Param({"greedy", "min-p", "top-k", "top-p", "penalties"})
    String options = "";

    private FloatBuffer logits = FloatBuffer.allocate(0); // (vocabulary)
    private int[] prompt = {};
    private Sampler sampler = Sampler.of(GenerationOptions.DEFAULTS, 1);
    private int drawn;

    /** Makes the logits. */
    @Setup(Level.Trial)
    public void makeLogits() {
        Random random = new Random(1);
        logits = FloatBuffer.allocate(vocabulary);
        for (int i = 0; i < vocabulary; i++) {
            logits.put(i, (float) (3 * random.nextGaussian() + (random.nextInt(5_000) == 0 ? 9 : 0)));
        }
        prompt = random.ints(PROMPT, 0, vocabulary).toArray();
        renew();
    }

    /** A token; after {@value #RESET} of them a new sequence begins, since penalties remember what was drawn. */
    @Benchmark
    public int next() {
        if (++drawn == RESET) {
            renew();
        }
        return sampler.next(logits);
    }

    private void renew() {
        GenerationOptions.Builder builder = GenerationOptions.builder().seed(1);
        GenerationOptions chosen = switch (options) {
            case "greedy" -> builder.build();
            case "min-p" -> builder.temperature(0.7).minP(0.05).build();
            case "top-k" -> builder.temperature(0.7).topK(40).build();
            case "top-p" -> builder.temperature(0.7).topP(0.9).build();
            case "penalties" ->
                builder.temperature(0.7)
                        .minP(0.05)
                        .repetitionPenalty(1.1)
                        .frequencyPenalty(0.2)
                        .build();
            default -> throw new IllegalArgumentException("No options called " + options);
        };
        sampler = Sampler.of(chosen, vocabulary);
        sampler.observePrompt(prompt);
        drawn = 0;
    }
}
