package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.onnx.GraphLogits.Rows;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The tokens that a model has read, with the state after them.
 *
 * <p>{@code append} reads more tokens. {@link #truncate} goes back and computes nothing. A model with recurrent states, or with
 * separate rotary tables for long texts, may have to read tokens again after that; the next {@code append} does so first.
 * Prompts are read in chunks of {@link EngineOptions#prefillChunk()} tokens. <em>Confined to one thread except
 * {@link #interrupt()}.</em>
 */
public final class DecoderSequence implements AutoCloseable {

    /*
     * tokens[0 … length) are the tokens that the caller has appended. Three counters relate the states to them:
     *
     *   0 ≤ exact ≤ length, 0 ≤ read ≤ length
     *
     * length   the length that the caller sees. append() raises it, truncate() lowers it.
     * read     the number of tokens that the states have read. Keys and values can be cut at any row, so read drops with length.
     *          Recurrent states cannot go back: they restart from their latest copy (RecurrentStates.restore). Rotary tables
     *          that depend on the length invalidate all states when the table changes. A sliding window has dropped what
     *          is far behind it, so going back far begins at 0. In all three cases read < length, and the next
     *          append() also reads tokens[read … length) again, without their logits: in its own step if there is room, or before it
     *          (catchUp). After a refused draft, recurrent states go back by one step, so few tokens are read again.
     * exact    the number of leading tokens whose rows equal, bit for bit, the rows that any other sequence computes for the same
     *          prefix, so the pool shares only these. The kernels round differently for steps of different sizes. With the rule of
     *          even rows (EvenRows), all tokens are exact that were read in steps of an even size; without it, those that were read
     *          in whole chunks, each of which began at a multiple of the chunk size.
     *
     * Where the rule holds, a step of an odd number of tokens is filled up by one more, whose rows the next step overwrites. A
     * step of one token is filled up on request only (pair), because it takes longer then, or where it is left of several. The last
     * position of a context has no room for a filler.
     *
     * A step that fails or is interrupted changes none of the counters: it wrote only beyond length, where the next step writes
     * again.
     */

    /** Logits of many positions are requested in pieces of at most this size. */
    private static final long MAX_LOGITS_BYTES = 64L << 20;

    private final SequencePool pool;
    private final DecoderStep step;
    private final DecoderSession session;
    private int[] tokens = new int[64]; // (length and more)
    private int length;
    private int read;
    private int exact;
    private final boolean even;
    private PrefixStore.Scope scope;
    private boolean pair;
    private boolean longRotary;
    private boolean closed;

    /** @param even whether the rule of even rows holds */
    DecoderSequence(SequencePool pool, DecoderStep step, PrefixStore.Scope scope, boolean even) {
        this.pool = pool;
        this.scope = scope;
        this.even = even;
        this.step = step;
        this.session = step.session();
    }

    /** The number of tokens read. */
    public int length() {
        return length;
    }

    /**
     * Reads tokens.
     *
     * @param ids at least one token id
     * @return (vocabulary), the logits after the last token; valid until the next call
     * @throws IllegalArgumentException if the tokens exceed the context; none is read then
     * @throws dev.pollux.CancelledException if {@link #interrupt()} was called, or the thread is interrupted; the chunks
     *     that were completed remain read
     */
    public FloatBuffer append(int... ids) {
        prepare(ids);
        int from = 0;
        while (true) {
            int count = Math.min(limit(length), ids.length - from);
            boolean last = from + count == ids.length;
            FloatBuffer logits = read(ids, from, count, last ? 1 : 0);
            from += count;
            if (last) {
                return logits;
            }
        }
    }

    /** Reads tokens and passes the logits after each of them to {@code consumer}. */
    public void append(int[] ids, LogitsConsumer consumer) {
        prepare(ids);
        DecoderManifest manifest = manifest();
        long rowBytes = (long) manifest.vocabularySize() * Float.BYTES;
        int most = session.graph().logits().rows() == Rows.LAST ? 1 : (int) Math.max(1, MAX_LOGITS_BYTES / rowBytes);
        int count;
        for (int from = 0; from < ids.length; from += count) {
            count = Math.min(Math.min(most, limit(length)), ids.length - from);
            int before = length;
            FloatBuffer logits = read(ids, from, count, count); // (count, vocabulary)
            for (int i = 0; i < count; i++) {
                consumer.accept(before + i, logits.slice(i * manifest.vocabularySize(), manifest.vocabularySize()));
            }
        }
    }

    /**
     * Removes every token from index {@code newLength} on.
     *
     * @param newLength in [0, {@link #length()}]
     */
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("newLength must be in [0, " + length + "] but was " + newLength);
        }
        length = newLength;
        if (read > length) {
            read = back(length);
        }
        exact = Math.min(exact, exact(newLength));
    }

    /** Goes back to the latest states of at most {@code to} tokens, and returns their number. */
    private int back(int to) {
        int at = step.recurrent().isEmpty() ? to : step.recurrent().restore(to);
        return step.cache().suffices(at) ? at : step.recurrent().restore(0);
    }

    /** The number of tokens of a prefix that can be exact. */
    private int exact(int prefix) {
        int chunk = session.chunk();
        return even ? prefix : prefix / chunk * chunk;
    }

    /** Whether the rule of even rows holds, so that steps of several tokens and of two give the same bits. */
    boolean isEven() {
        return even;
    }

    /** Whether steps of one token are filled up to two, if the rule of even rows holds. */
    void pair(boolean wanted) {
        pair = wanted;
    }

    /** The maximum number of tokens in a step that follows {@code past} others. */
    private int limit(int past) {
        int limit = Math.min(step.cache().room(past), Math.min(session.limit(past), pool.chunk(even)));
        return even ? Math.max(2, limit / 2 * 2) : limit;
    }

    /**
     * The largest number of drafted tokens that the next step can verify after one certain token. It is 0 for graphs that give the
     * logits of the last position only.
     */
    int draftLimit() {
        if (session.graph().logits().rows() == Rows.LAST) {
            return 0;
        }
        int rotary = manifest().rotarySwitch();
        int end = rotary > 0 && length < rotary ? rotary : manifest().contextLength();
        return Math.max(0, Math.min(limit(read) - (length - read), end - length) - 1);
    }

    /** Ends the running step and every later one with {@link dev.pollux.CancelledException}. May be called from any thread. */
    public void interrupt() {
        step.interrupt();
    }

    boolean isInterrupted() {
        return step.isInterrupted();
    }

    /** Returns the sequence to its model. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            pool.release(this);
        }
    }

    /** Reserves memory for {@code total} tokens at once, instead of growing step by step. */
    void reserve(int total) {
        step.reserve(Math.min(total, manifest().contextLength()), length);
    }

    boolean uses(LoadedAdapter other) {
        return step.adapter() == other;
    }

    int sharedPrefix(int[] prompt, PrefixStore.Scope other) {
        if (!scope.equals(other)) {
            return 0;
        }
        int limit = Math.min(exact, prompt.length - 1); // the last token is read again to get its logits
        int same = 0;
        while (same < limit && tokens[same] == prompt[same]) {
            same++;
        }
        int shared = Math.max(0, exact(same));
        return step.cache().suffices(shared) ? shared : 0; // else all would be read again
    }

    void reopen(int keep, PrefixStore.Scope other) {
        closed = false;
        pair = false;
        step.allow();
        step.use(other.adapter());
        scope = other;
        truncate(keep);
    }

    /** The keys and values, in a graph that appends to them. */
    KeyValueCache rows() {
        return step.rows().orElseThrow();
    }

    /** Becomes a copy of another sequence of the same model. Rows are copied where they can be, else computed again. */
    void follow(DecoderSequence other) {
        if (step.rows().isEmpty() || !step.recurrent().isEmpty() || other.read < other.length) {
            int same = Arrays.mismatch(tokens, 0, length, other.tokens, 0, other.length);
            truncate(same < 0 ? length : same);
            if (other.length > length) {
                append(Arrays.copyOfRange(other.tokens, length, other.length));
            }
            return;
        }
        truncate(0);
        chooseRotary(other.length);
        step.reserve(other.length, 0);
        rows().copy(other.rows(), other.length);
        room(other.length);
        System.arraycopy(other.tokens, 0, tokens, 0, other.length);
        length = other.length;
        read = length;
        exact = other.exact;
    }

    /** Takes the leading tokens of a prompt from a store, if it has more of them than this sequence. */
    void load(PrefixStore store, int[] prompt) {
        int stored = exact(store.find(prompt, scope, prompt.length - 1));
        if (stored <= length || step.rows().isEmpty()) {
            return;
        }
        KeyValueCache rows = step.rows().get();
        step.reserve(stored, length);
        rows.drop(stored, length);
        int copied = exact(store.copy(
                prompt, scope, length, stored, (block, first) -> rows.put(0, first, PrefixStore.BLOCK, block)));
        if (copied > length) { // else a block was removed meanwhile
            room(copied);
            System.arraycopy(prompt, 0, tokens, 0, copied);
            length = copied;
            read = copied;
            exact = copied;
        }
        if (!rows.suffices(length)) { // the store had no longer the rows for which others were dropped
            truncate(0);
        }
    }

    /** Stores the leading tokens whose rows any other sequence would compute. */
    void save(PrefixStore store) {
        step.rows().ifPresent(rows -> store.put(tokens, Math.min(exact, read), scope, rows.blocks()));
    }

    /** Stores and pins the leading tokens, and returns their number. */
    int pin(PrefixStore store) {
        return step.rows().isEmpty() ? 0 : store.pin(tokens, Math.min(exact, read), scope, rows().blocks());
    }

    void free() {
        step.close();
    }

    private FloatBuffer read(int[] ids, int from, int count, int logitsDue) {
        if (step.isInterrupted()) {
            throw new CancelledException("The sequence was interrupted; ask the model for another");
        }
        catchUp(count);
        int again = length - read;
        int filler = filler(read, again + count, pair || again + ids.length > 1);
        ready(length + count + filler);
        FloatBuffer logits = step.run(due(ids, from, count, filler), read, filler, logitsDue);
        System.arraycopy(ids, from, tokens, length, count);
        boolean whole = even ? (count + filler) % 2 == 0 : count == session.chunk();
        if (whole && exact == length && again == 0 && step.cache().isAligned(read, count)) {
            exact += count;
        }
        length += count;
        read = length;
        if (count > 1 && logitsDue <= 1) { // the part of a prompt, not a draft
            step.recurrent().save(length);
        }
        return logits;
    }

    /** The tokens of a step: those that the states have lost, some new ones, and a filler. */
    private int[] due(int[] ids, int from, int count, int filler) {
        int again = length - read;
        int[] all = new int[again + count + filler];
        System.arraycopy(tokens, read, all, 0, again);
        System.arraycopy(ids, from, all, again, count);
        if (filler > 0) {
            all[again + count] = all[again + count - 1];
        }
        return all;
    }

    /** Reads the tokens again that the states have lost, until the rest fits into a step with {@code next} others. */
    private void catchUp(int next) {
        while (read < length && length - read + next > limit(read)) {
            int count = Math.min(limit(read), length - read);
            int filler = filler(read, count, true);
            ready(read + count + filler);
            step.run(filled(tokens, read, count, filler), read, filler, 0);
            read += count;
        }
    }

    /** Prepares the states for a step that ends at {@code total} tokens. */
    private void ready(int total) {
        if (step.cache().drops(read)) {
            pool.save(this);
        }
        step.reserve(total, read);
    }

    /** The number of tokens that fill up a step of {@code count} tokens after {@code past}. */
    private int filler(int past, int count, boolean wanted) {
        return even
                        && count % 2 == 1
                        && (count > 1 || wanted)
                        && past + count < manifest().contextLength()
                ? 1
                : 0;
    }

    /** Some tokens, with a copy of the last one as a filler. */
    private static int[] filled(int[] ids, int from, int count, int filler) {
        int[] step = Arrays.copyOfRange(ids, from, from + count + filler);
        if (filler > 0) {
            step[count] = step[count - 1];
        }
        return step;
    }

    /** Selects the rotary tables for {@code total} tokens. A change of tables invalidates all states. */
    private void chooseRotary(int total) {
        int limit = manifest().rotarySwitch();
        boolean wanted = limit > 0 && total > limit;
        if (wanted != longRotary) {
            longRotary = wanted;
            step.useLongRotary(wanted);
            read = step.recurrent().restore(0);
        }
    }

    private DecoderManifest manifest() {
        return session.graph().manifest();
    }

    private void prepare(int[] ids) {
        if (closed) {
            throw new IllegalStateException("The sequence is closed; ask the model for another");
        }
        DecoderManifest manifest = manifest();
        if (ids.length == 0) {
            throw new IllegalArgumentException("ids must hold at least one token but was empty");
        }
        if (ids.length > manifest.contextLength() - length) {
            throw new IllegalArgumentException("A context of " + manifest.contextLength() + " tokens cannot hold "
                    + (length + (long) ids.length) + "; shorten the prompt or use a model with a longer context");
        }
        for (int id : ids) {
            if (id < 0 || id >= manifest.vocabularySize()) {
                throw new IllegalArgumentException(
                        "token ids must be in [0, " + manifest.vocabularySize() + ") but one was " + id);
            }
        }
        room(length + ids.length);
        chooseRotary(length + ids.length);
    }

    private void room(int total) {
        if (total > tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(total, tokens.length * 2));
        }
    }
}
