package dev.pollux.inference.calibration;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.calibration.ModelComparison.Side;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.engine.DecoderGraphs;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.graph.GraphOutline;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Compares two decoders on a text. <em>Thread-safe.</em> */
public final class ModelComparer {

    /*
     * The text is cut into windows that both models read from an empty state. Logits of a model are copied for a few tokens at a
     * time, since those of a window would be some 100 MB. Greedy continuations need no second generation: the first model generates,
     * the second reads what was generated in one pass, and the first token that it would not have chosen is where its own
     * continuation leaves.
     */

    private static final int WINDOW = 512;
    private static final int MOST_TOKENS = 16_384;
    private static final int PIECE = 16;
    private static final int PROMPT = 32;
    private static final int CONTINUATION = 48;
    private static final int PROMPTS = 8;
    private static final double LEAST_OVERLAP = 0.01;

    private final EngineOptions options;

    private ModelComparer(EngineOptions options) {
        this.options = options;
    }

    /** A comparer that opens models with {@code options}. */
    public static ModelComparer of(EngineOptions options) {
        return new ModelComparer(options);
    }

    /**
     * Compares two models.
     *
     * @param a the reference: any path that the engine opens
     * @param b a model with the same vocabulary
     * @param text at least 64 tokens; of a longer text the first 16,384 tokens are read
     * @return a job that reports tokens; running it throws {@link IllegalArgumentException} if the text is too short or the
     *     vocabularies differ
     */
    public Job<ModelComparison> compare(Path a, Path b, String text) {
        return Job.of("compare", context -> {
            checkUnread(a, text, context);
            checkUnread(b, text, context);
            Opened first = open(a, context);
            Opened second = open(b, context);
            int[] ids = tokens(first, text);
            if (first.graph().manifest().vocabularySize()
                    != second.graph().manifest().vocabularySize()) {
                throw new IllegalArgumentException("The models must have one vocabulary but " + a + " has "
                        + first.graph().manifest().vocabularySize() + " tokens and " + b + " has "
                        + second.graph().manifest().vocabularySize() + "; compare models with one tokenizer");
            }
            try (DecoderModel one = DecoderModel.open(first.path(), options);
                    DecoderModel other = DecoderModel.open(second.path(), options)) {
                return compare(new Pair(first, one), new Pair(second, other), ids, context);
            }
        });
    }

    /** Gives a notice if a model was quantized on the text. */
    private static void checkUnread(Path model, String text, JobContext context) {
        double share =
                PassageHashes.read(model).map(hashes -> hashes.shareOf(text)).orElse(0.0);
        if (share >= LEAST_OVERLAP) {
            context.notice(String.format(
                    Locale.ROOT,
                    "%.0f %% of the passages of the text are in the texts that %s was quantized on, so its loss looks"
                            + " smaller than it is; compare on another text",
                    100 * share,
                    model));
        }
    }

    private record Opened(Path path, DecoderGraph graph) {}

    private record Pair(Opened opened, DecoderModel model) {}

    private Opened open(Path path, JobContext context) {
        DecoderGraph graph = DecoderGraphs.opened(path, options, context);
        return new Opened(DecoderGraph.ready(path).isPresent() ? path : graph.texts(), graph);
    }

    private static int[] tokens(Opened model, String text) {
        int[] ids;
        try (Tokenizer tokenizer = ModelTexts.in(model.graph().texts())
                .tokenizer()
                .orElseThrow(() -> new UnsupportedModelException(
                        model.path() + " has no tokenizer, so it reads no text; add tokenizer.json"))) {
            ids = tokenizer.encode(text, true);
        }
        if (ids.length < 2 * PROMPT) {
            throw new IllegalArgumentException("The text must have at least " + 2 * PROMPT + " tokens but has "
                    + ids.length + "; give a longer one");
        }
        return Arrays.copyOf(ids, Math.min(ids.length, MOST_TOKENS));
    }

    private static ModelComparison compare(Pair a, Pair b, int[] ids, JobContext context) {
        TokenMeasures measures = new TokenMeasures(ids.length);
        int window = Math.min(WINDOW, Math.min(context(a), context(b)));
        for (int from = 0; from + 1 < ids.length; from += window) {
            int[] some = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + window));
            read(a, b, some, measures, context);
            context.progress("compare", Math.min(ids.length, from + window), ids.length, "tokens");
        }
        Speed speedA = speed(a, ids, context);
        Speed speedB = speed(b, ids, context);
        double divergence = divergence(a.model(), b.model(), ids, context);
        return new ModelComparison(
                measures.predicted(),
                side(a, measures.perplexityA(), speedA),
                side(b, measures.perplexityB(), speedB),
                measures.perplexityRatio(),
                measures.kl(),
                measures.klPercentile(0.99),
                measures.agreement(),
                divergence,
                CONTINUATION);
    }

    private static int context(Pair model) {
        return model.opened().graph().manifest().contextLength();
    }

    private static void read(Pair a, Pair b, int[] ids, TokenMeasures measures, JobContext context) {
        int vocabulary = a.opened().graph().manifest().vocabularySize();
        float[] logits = new float[PIECE * vocabulary];
        try (DecoderSequence one = a.model().sequence();
                DecoderSequence other = b.model().sequence()) {
            for (int from = 0; from < ids.length; from += PIECE) {
                context.checkCancelled();
                int start = from;
                int[] some = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + PIECE));
                one.append(
                        some,
                        (position, row) -> row.duplicate().get(0, logits, (position - start) * vocabulary, vocabulary));
                other.append(some, (position, row) -> {
                    int at = (position - start) * vocabulary;
                    FloatBuffer reference =
                            FloatBuffer.wrap(logits, at, vocabulary).slice();
                    if (position + 1 < ids.length) {
                        measures.add(reference, row, ids[position + 1]);
                    } else {
                        measures.add(reference, row);
                    }
                });
            }
        }
    }

    private record Speed(double prefill, double decode) {}

    private static Speed speed(Pair pair, int[] ids, JobContext context) {
        DecoderModel model = pair.model();
        int[] prompt = Arrays.copyOf(ids, Math.min(ids.length, Math.min(WINDOW, context(pair)) / 2));
        double prefill = 0;
        double decode = 0;
        for (int run = 0; run < 2; run++) {
            context.checkCancelled();
            try (DecoderSequence sequence = model.sequence()) {
                long begin = System.nanoTime();
                int token = best(sequence.append(prompt));
                prefill = Math.max(prefill, prompt.length * 1e9 / (System.nanoTime() - begin));
                begin = System.nanoTime();
                for (int i = 0; i < PROMPT; i++) {
                    token = best(sequence.append(token));
                }
                decode = Math.max(decode, PROMPT * 1e9 / (System.nanoTime() - begin));
            }
        }
        return new Speed(prefill, decode);
    }

    private static int best(FloatBuffer logits) {
        int best = 0;
        for (int i = 1; i < logits.limit(); i++) {
            if (logits.get(i) > logits.get(best)) {
                best = i;
            }
        }
        return best;
    }

    private static double divergence(DecoderModel a, DecoderModel b, int[] ids, JobContext context) {
        List<Integer> equal = new ArrayList<>();
        int step = Math.max(PROMPT, ids.length / PROMPTS);
        for (int from = 0; from + PROMPT <= ids.length && equal.size() < PROMPTS; from += step) {
            context.checkCancelled();
            int[] prompt = Arrays.copyOfRange(ids, from, from + PROMPT);
            equal.add(equal(generated(a, prompt), b, prompt));
        }
        int[] sorted = equal.stream().mapToInt(Integer::intValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
    }

    private static int[] generated(DecoderModel model, int[] prompt) {
        int[] made = new int[CONTINUATION];
        try (DecoderSequence sequence = model.sequence()) {
            made[0] = best(sequence.append(prompt));
            for (int i = 1; i < made.length; i++) {
                made[i] = best(sequence.append(made[i - 1]));
            }
        }
        return made;
    }

    /** The number of tokens of a continuation that a model would generate too. */
    private static int equal(int[] continuation, DecoderModel model, int[] prompt) {
        try (DecoderSequence sequence = model.sequence()) {
            if (best(sequence.append(prompt)) != continuation[0]) {
                return 0;
            }
            int[] first = {continuation.length};
            sequence.append(continuation, (position, logits) -> {
                int next = position - prompt.length + 1;
                if (next < first[0] && best(logits) != continuation[next]) {
                    first[0] = next;
                }
            });
            return first[0];
        }
    }

    private static Side side(Pair model, double perplexity, Speed speed) {
        return new Side(
                perplexity,
                bytes(model.opened().graph().file()),
                model.model().loadTime().toMillis(),
                speed.prefill(),
                speed.decode());
    }

    private static long bytes(Path file) {
        try {
            long bytes = Files.size(file);
            for (String location : GraphOutline.read(file).dataFiles()) {
                bytes += Files.size(file.resolveSibling(location));
            }
            return bytes;
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }
}
