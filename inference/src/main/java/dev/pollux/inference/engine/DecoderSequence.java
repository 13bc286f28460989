package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.onnx.GraphLogits.Rows;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The tokens a model has read, with its state after them.
 *
 * <p>{@code append} reads more tokens; {@link #truncate} goes back without computing anything: what a model with recurrent
 * states, or with rotary tables for long texts, has to read again then, the next {@code append} reads first. Prompts are read in chunks
 * of {@link EngineOptions#prefillChunk()} tokens. <em>Confined to one thread except {@link #interrupt()}.</em>
 */
public final class DecoderSequence implements AutoCloseable {

    /*
     * tokens[0 … length) are the tokens that the caller has appended. Three marks say how the states follow them:
     *
     *   0 ≤ aligned ≤ length, 0 ≤ read ≤ length
     *
     * length   what the caller sees. append() moves it up, truncate() down.
     * read     the tokens that the states have read. Keys and values can be cut at any row, so read follows length down.
     *          Recurrent states cannot go back: they restart from their latest copy (RecurrentStates.restore), and rotary tables
     *          that switch by length make everything new. read < length then, and the next append() first reads
     *          tokens[read … length) again, without logits (catchUp).
     * aligned  the leading tokens that were read in whole chunks, each of which began at a multiple of the chunk. The kernels
     *          round differently for steps of different sizes, so only these rows are, bit for bit, what any other sequence
     *          would compute for the same beginning; the pool shares no others.
     *
     * A step that fails or is interrupted moves none of the marks: what it wrote is beyond length, where the next step writes
     * again.
     */

    /** Logits of many positions are asked for in pieces of at most this size. */
    private static final long MAX_LOGITS_BYTES = 64L << 20;

    private final SequencePool pool;
    private final DecoderStep step;
    private final DecoderSession session;
    private int[] tokens = new int[64]; // (length and more)
    private int length;
    private int read;
    private int aligned;
    private boolean longRotary;
    private boolean closed;

    DecoderSequence(SequencePool pool, DecoderStep step) {
        this.pool = pool;
        this.step = step;
        this.session = step.session();
    }

    /** How many tokens have been read. */
    public int length() {
        return length;
    }

    /**
     * Reads tokens.
     *
     * @param ids at least one token id
     * @return (vocabulary), the logits after the last token; valid until the next call
     * @throws IllegalArgumentException if the context would overflow; nothing is read then
     * @throws dev.pollux.CancelledException if {@link #interrupt()} was called, or the thread is interrupted; what whole
     *     chunks were read stays read
     */
    public FloatBuffer append(int... ids) {
        prepare(ids);
        int from = 0;
        while (true) {
            int count = Math.min(session.limit(length), ids.length - from);
            boolean last = from + count == ids.length;
            FloatBuffer logits = read(ids, from, count, last ? 1 : 0);
            from += count;
            if (last) {
                return logits;
            }
        }
    }

    /** Reads tokens and gives the logits after each of them to {@code consumer}. */
    public void append(int[] ids, LogitsConsumer consumer) {
        prepare(ids);
        DecoderManifest manifest = manifest();
        long rowBytes = (long) manifest.vocabularySize() * Float.BYTES;
        int most = session.graph().logits().rows() == Rows.LAST ? 1 : (int) Math.max(1, MAX_LOGITS_BYTES / rowBytes);
        int count;
        for (int from = 0; from < ids.length; from += count) {
            count = Math.min(Math.min(most, session.limit(length)), ids.length - from);
            int before = length;
            FloatBuffer logits = read(ids, from, count, count); // (count, vocabulary)
            for (int i = 0; i < count; i++) {
                consumer.accept(before + i, logits.slice(i * manifest.vocabularySize(), manifest.vocabularySize()));
            }
        }
    }

    /**
     * Forgets every token from {@code newLength} on.
     *
     * @param newLength in [0, {@link #length()}]
     */
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("newLength must be in [0, " + length + "] but was " + newLength);
        }
        length = newLength;
        if (read > length) {
            read = step.recurrent().isEmpty() ? length : step.recurrent().restore(length);
        }
        int chunk = session.chunk();
        aligned = Math.min(aligned, newLength / chunk * chunk);
    }

    /** Makes a step that is running, and every later one, end with {@link dev.pollux.CancelledException}; from any thread. */
    public void interrupt() {
        step.interrupt();
    }

    boolean isInterrupted() {
        return step.isInterrupted();
    }

    /** Gives the sequence back to its model. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            pool.release(this);
        }
    }

    /** Makes room for {@code total} tokens at once instead of growing step by step. */
    void reserve(int total) {
        step.reserve(Math.min(total, manifest().contextLength()), length);
    }

    boolean uses(LoadedAdapter other) {
        return step.adapter() == other;
    }

    int sharedPrefix(int[] prompt, LoadedAdapter other) {
        if (step.adapter() != other) {
            return 0;
        }
        int limit = Math.min(aligned, prompt.length - 1); // the last token is read again for its logits
        int same = 0;
        while (same < limit && tokens[same] == prompt[same]) {
            same++;
        }
        int chunk = session.chunk();
        return Math.max(0, same / chunk * chunk);
    }

    void reopen(int keep, LoadedAdapter other) {
        closed = false;
        step.allow();
        step.use(other);
        truncate(keep);
    }

    void free() {
        step.close();
    }

    private FloatBuffer read(int[] ids, int from, int count, int logitsDue) {
        if (step.isInterrupted()) {
            throw new CancelledException("The sequence was interrupted; ask the model for another");
        }
        step.reserve(length + count, length);
        catchUp();
        FloatBuffer logits = step.run(Arrays.copyOfRange(ids, from, from + count), length, logitsDue);
        System.arraycopy(ids, from, tokens, length, count);
        if (aligned == length && count == session.chunk()) {
            aligned += count;
        }
        length += count;
        read = length;
        if (count > 1) {
            step.recurrent().save(length);
        }
        return logits;
    }

    /** Reads what was read before and is not in the states any more. */
    private void catchUp() {
        while (read < length) {
            int count = Math.min(session.limit(read), length - read);
            step.run(Arrays.copyOfRange(tokens, read, read + count), read, 0);
            read += count;
        }
    }

    /** Chooses the rotary tables for {@code total} tokens; another choice than before makes all of them new. */
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
        if (length + ids.length > tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(length + ids.length, tokens.length * 2));
        }
        chooseRotary(length + ids.length);
    }
}
