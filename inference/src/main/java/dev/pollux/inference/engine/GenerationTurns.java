package dev.pollux.inference.engine;

import java.nio.FloatBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Runs the model for one {@link GenerationLoop}, turn by turn. <em>Not thread-safe: one thread at a time.</em> */
final class GenerationTurns implements AutoCloseable {

    private final GenerationLoop loop;
    private final DecoderSequence sequence;
    private final Optional<SharedTurns> shared;
    private SharedTurns.@Nullable Member member; // from the first token on, if turns are shared
    private Optional<FloatBuffer> logits = Optional.empty(); // (vocabulary), after the last token read

    /** @param shared turns in which the sequence takes part once it has read its prompt; empty to run steps of its own */
    GenerationTurns(GenerationLoop loop, DecoderSequence sequence, Optional<SharedTurns> shared) {
        this.loop = loop;
        this.sequence = sequence;
        this.shared = shared;
    }

    /**
     * Reads the due tokens, with a draft after them if there is one, and lets the loop choose. After an error, the turn may be
     * run again.
     *
     * @throws dev.pollux.CancelledException if the sequence or the thread is interrupted
     */
    void run() {
        if (shared.isPresent() && loop.isWriting()) {
            share(shared.get());
            return;
        }
        int[] due = loop.due(sequence.length());
        int[] draft = loop.draft(due.length == 1 ? sequence.draftLimit() : 0);
        if (draft.length > 0) {
            verify(due[0], draft);
            return;
        }
        if (due.length > 0) {
            sequence.pair(loop.pairs());
            logits = Optional.of(sequence.append(due));
        }
        loop.accept(logits.orElseThrow());
    }

    private void share(SharedTurns turns) {
        SharedTurns.Member joined = member == null ? turns.join(sequence) : member;
        member = joined;
        int[] due = loop.due(joined.length());
        if (due.length > 0) { // else the last turn read it and could not choose
            logits = Optional.of(turns.step(joined, due[0]));
        }
        loop.accept(logits.orElseThrow());
    }

    /** Leaves shared turns. Idempotent. */
    @Override
    public void close() {
        if (member != null) {
            shared.orElseThrow().leave(member);
        }
    }

    /** Reads the last token and a draft in one step, and keeps what the loop confirms. */
    private void verify(int last, int[] draft) {
        int[] ids = new int[draft.length + 1];
        ids[0] = last;
        System.arraycopy(draft, 0, ids, 1, draft.length);
        Rows rows = new Rows(sequence.length());
        try {
            sequence.append(ids, rows);
        } finally {
            sequence.truncate(Math.min(sequence.length(), loop.certain()));
        }
    }

    /** Passes the rows to the loop while it confirms the draft. */
    private final class Rows implements LogitsConsumer {
        private int due; // the position whose logits the loop wants

        private Rows(int first) {
            this.due = first;
        }

        @Override
        public void accept(int position, FloatBuffer row) {
            if (position == due && loop.accept(row)) {
                due++;
            }
        }
    }
}
