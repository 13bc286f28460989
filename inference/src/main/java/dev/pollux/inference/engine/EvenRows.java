package dev.pollux.inference.engine;

import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.onnx.DecoderGraph;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Whether steps that read an even number of tokens give each token the same bits, however many they are. <em>Thread-safe.</em>
 */
final class EvenRows {

    /*
     * Weights of 4 and 8 bits are multiplied with activations that are rounded to 8 bits, which turns a difference in the last
     * place of a float into a whole code. Kernels add up in another order for the last, odd row of a step, and for a step of one
     * token. So the bits of a row depend on the size of its step, but where the rule of even rows holds, steps of 2, 4, … tokens
     * all give the same bits. Then a prompt, its chunks, drafted tokens and a conversation that goes on have the bits of a
     * single reading of the whole, if each odd step is filled up by one token.
     *
     * The rule is a property of the runtime's kernels on a processor, and not a promise of theirs. So it is tested once for a graph,
     * a runtime and a processor, with some random tokens read in steps of different sizes; the answer is kept in the cache folder.
     * Without a rule the engine falls back to steps that begin at multiples of one chunk size.
     *
     * Recurrent states cannot take back a filler, and graphs of others may have no logits before it: they are not tested.
     */

    private static final int LENGTH = 64;
    private static final int ROWS = 8;
    private static final int[][] ENDS = {{8}, {4, 4}, {2, 2, 2, 2}, {2, 6}, {3, 5}, {5, 1, 2}};
    private static final String YES = "even rows";
    private static final String NO = "no rule";

    private final DecoderSession session;
    private final ReentrantLock lock = new ReentrantLock();
    private Optional<Boolean> holds = Optional.empty();

    EvenRows(DecoderSession session) {
        this.session = session;
    }

    /**
     * Whether the rule holds. Only the first call takes time, that of reading about 200 tokens if the cache folder has no answer.
     *
     * @param steps gives a new step, which is closed
     * @throws dev.pollux.CancelledException if the model is being closed, or the thread is interrupted; a later call tests again
     */
    boolean hold(Supplier<DecoderStep> steps) {
        lock.lock();
        try {
            if (holds.isEmpty()) {
                holds = Optional.of(isPossible() && remembered(steps));
            }
            return holds.get();
        } finally {
            lock.unlock();
        }
    }

    private boolean isPossible() {
        DecoderGraph graph = session.graph();
        return graph.isExport()
                && graph.inPlace()
                && graph.manifest().states(Kind.RECURRENT).isEmpty()
                && graph.manifest().contextLength() > LENGTH;
    }

    private boolean remembered(Supplier<DecoderStep> steps) {
        MachineMemo memo = MachineMemo.of(session, "rows");
        Optional<String> known = memo.read();
        if (known.isPresent() && (known.get().equals(YES) || known.get().equals(NO))) {
            return known.get().equals(YES);
        }
        boolean answer;
        try (DecoderStep step = steps.get()) {
            answer = test(step);
        }
        memo.write(answer ? YES : NO);
        return answer;
    }

    private boolean test(DecoderStep step) {
        int vocabulary = session.graph().manifest().vocabularySize();
        int[] tokens = new Random(11).ints(LENGTH, 0, vocabulary).toArray();
        step.reserve(LENGTH + 2, 0);
        float[] due = read(step, tokens, 0, LENGTH, ROWS);
        read(step, tokens, 0, 32, 0);
        read(step, tokens, 32, LENGTH - ROWS - 32, 0);
        float[] rows = new float[due.length];
        for (int[] sizes : ENDS) {
            int from = LENGTH - ROWS;
            for (int size : sizes) {
                float[] part = read(step, tokens, from, size, size);
                System.arraycopy(part, 0, rows, (from - LENGTH + ROWS) * vocabulary, part.length);
                from += size;
            }
            if (!Arrays.equals(rows, due)) {
                return false;
            }
        }
        return true;
    }

    /** The logits of the last {@code due} of {@code count} tokens, read in one step that is filled up to an even number. */
    private static float[] read(DecoderStep step, int[] tokens, int from, int count, int due) {
        int filler = count & 1;
        int[] ids = Arrays.copyOfRange(tokens, from, from + count + filler); // a 0 after the end
        FloatBuffer logits = step.run(ids, from, filler, due);
        float[] values = new float[logits.remaining()];
        logits.get(values);
        return values;
    }
}
