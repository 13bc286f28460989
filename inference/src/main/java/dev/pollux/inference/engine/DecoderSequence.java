package dev.pollux.inference.engine;

import dev.pollux.CancelledException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.engine.GraphLogits.Rows;
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

    /** Logits of many positions are asked for in pieces of at most this size. */
    private static final long MAX_LOGITS_BYTES = 64L << 20;

    private final DecoderModel model;
    private final DecoderStep step;
    private int[] tokens = new int[64]; // (length and more)
    private int length;
    /** How many of them the states have read. */
    private int read;

    private boolean longRotary;
    /** How many leading tokens were computed in whole, aligned prefill chunks. */
    private int aligned;

    private LoadedAdapter adapter;
    private volatile boolean interrupted;
    private boolean closed;

    DecoderSequence(DecoderModel model, LoadedAdapter adapter) {
        this.model = model;
        this.step = new DecoderStep(model);
        this.adapter = adapter;
        step.use(adapter);
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
            int count = Math.min(limit(length), ids.length - from);
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
        DecoderManifest manifest = model.manifest();
        long rowBytes = (long) manifest.vocabularySize() * Float.BYTES;
        int most = model.graph().logits().rows() == Rows.LAST ? 1 : (int) Math.max(1, MAX_LOGITS_BYTES / rowBytes);
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
        int chunk = model.chunk();
        aligned = Math.min(aligned, newLength / chunk * chunk);
    }

    /** Makes a step that is running, and every later one, end with {@link dev.pollux.CancelledException}; from any thread. */
    public void interrupt() {
        interrupted = true;
        step.terminate();
    }

    boolean isInterrupted() {
        return interrupted;
    }

    /** Gives the sequence back to its model. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            model.release(this);
        }
    }

    /** Makes room for {@code total} tokens at once instead of growing step by step. */
    void reserve(int total) {
        step.reserve(Math.min(total, model.manifest().contextLength()), length);
    }

    boolean uses(LoadedAdapter other) {
        return adapter == other;
    }

    int sharedPrefix(int[] prompt, LoadedAdapter other) {
        if (adapter != other) {
            return 0;
        }
        int limit = Math.min(aligned, prompt.length - 1); // the last token is read again for its logits
        int same = 0;
        while (same < limit && tokens[same] == prompt[same]) {
            same++;
        }
        int chunk = model.chunk();
        return Math.max(0, same / chunk * chunk);
    }

    void reopen(int keep, LoadedAdapter other) {
        closed = false;
        interrupted = false;
        adapter = other;
        step.use(other);
        truncate(keep);
    }

    void free() {
        step.close();
    }

    private FloatBuffer read(int[] ids, int from, int count, int logitsDue) {
        if (interrupted) {
            throw new CancelledException("The sequence was interrupted; ask the model for another");
        }
        step.reserve(length + count, length);
        catchUp();
        FloatBuffer logits =
                step.run(Arrays.copyOfRange(ids, from, from + count), length, logitsDue, () -> interrupted);
        System.arraycopy(ids, from, tokens, length, count);
        if (aligned == length && count == model.chunk()) {
            aligned += count;
        }
        length += count;
        read = length;
        if (count > 1) {
            step.recurrent().save(length);
        }
        return logits;
    }

    /** The most tokens of a step after {@code past} others. */
    private int limit(int past) {
        return model.graph().limit(past, model.options().prefillChunk());
    }

    /** Reads what was read before and is not in the states any more. */
    private void catchUp() {
        while (read < length) {
            int count = Math.min(limit(read), length - read);
            step.run(Arrays.copyOfRange(tokens, read, read + count), read, 0, () -> interrupted);
            read += count;
        }
    }

    /** Chooses the rotary tables for {@code total} tokens; another choice than before makes all of them new. */
    private void chooseRotary(int total) {
        int limit = model.manifest().rotarySwitch();
        boolean wanted = limit > 0 && total > limit;
        if (wanted != longRotary) {
            longRotary = wanted;
            step.useLongRotary(wanted);
            read = step.recurrent().restore(0);
        }
    }

    private void prepare(int[] ids) {
        if (closed) {
            throw new IllegalStateException("The sequence is closed; ask the model for another");
        }
        DecoderManifest manifest = model.manifest();
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
