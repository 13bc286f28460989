package dev.pollux.inference.calibration;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.calibration.ModelComparison.Interval;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.engine.DecoderGraphs;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.LoadedAdapter;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The perplexity of texts: exp of the mean negative log-likelihood of their tokens, each given the tokens before it in its window.
 * <em>Immutable; jobs may run at the same time.</em>
 */
public final class TextPerplexity {

    private static final int WINDOW = 1024;
    private static final int BLOCK = 64;

    private final EngineOptions options;

    private TextPerplexity(EngineOptions options) {
        this.options = options;
    }

    /** Measures models that run with these options; adapters need {@link EngineOptions#adapters()}. */
    public static TextPerplexity of(EngineOptions options) {
        return new TextPerplexity(options);
    }

    /**
     * Measures texts, in windows of 1,024 tokens or of the context if it is shorter.
     *
     * @param model as for {@link dev.pollux.inference.engine.OnnxGenerator#openJob}
     * @param adapters with the factor of each; may be empty
     * @return a job that reports tokens and gives the perplexity with its interval of 95 %; running it throws {@link
     *     IllegalArgumentException} if no text has two tokens
     */
    public Job<Interval> measure(Path model, Map<Path, Double> adapters, List<String> texts) {
        return Job.of("perplexity", context -> {
            DecoderGraph graph = DecoderGraphs.opened(model, options, context);
            Path path = DecoderGraph.ready(model).isPresent() ? model : graph.texts();
            List<int[]> windows =
                    windows(graph, texts, Math.min(WINDOW, graph.manifest().contextLength()), model);
            try (DecoderModel opened = DecoderModel.open(path, options)) {
                if (adapters.isEmpty()) {
                    return measured(windows, opened::sequence, context);
                }
                try (LoadedAdapter adapter = opened.load(adapters)) {
                    return measured(windows, () -> opened.sequence(adapter), context);
                }
            }
        });
    }

    private interface Sequences {
        DecoderSequence open();
    }

    private static List<int[]> windows(DecoderGraph graph, List<String> texts, int window, Path model) {
        List<int[]> windows = new ArrayList<>();
        try (Tokenizer tokenizer = ModelTexts.in(graph.texts())
                .tokenizer()
                .orElseThrow(() -> new UnsupportedModelException(
                        model + " has no tokenizer, so it reads no text; add tokenizer.json"))) {
            for (String text : texts) {
                int[] ids = tokenizer.encode(text, true);
                for (int from = 0; from + 1 < ids.length; from += window) {
                    windows.add(Arrays.copyOfRange(ids, from, Math.min(ids.length, from + window)));
                }
            }
        }
        windows.removeIf(ids -> ids.length < 2);
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("The texts must have at least two tokens; give a longer one");
        }
        return windows;
    }

    private static Interval measured(List<int[]> windows, Sequences sequences, JobContext context) {
        int count = windows.stream().mapToInt(ids -> ids.length - 1).sum();
        double[] losses = new double[count];
        int[] done = new int[1];
        for (int[] ids : windows) {
            try (DecoderSequence sequence = sequences.open()) {
                context.cancellable(sequence::interrupt, () -> {
                    sequence.append(ids, (position, logits) -> {
                        context.checkCancelled();
                        if (position + 1 < ids.length) {
                            losses[done[0]++] = -Perplexity.logProbability(logits, ids[position + 1]);
                        }
                    });
                    return done[0];
                });
            }
            context.progress("perplexity", done[0], count, "tokens");
        }
        return BlockBootstrap.interval(losses, BLOCK, Math::exp);
    }
}
