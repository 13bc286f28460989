package dev.pollux.twin;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationStream;
import java.util.Iterator;
import java.util.function.Consumer;

/** Connects a model to the verifier of its answer until either ends. <em>Confined to one thread except {@link #cancel()}.</em> */
final class Writing {

    private final GenerationStream stream;
    private final AnswerVerifier verifier;
    private final Iterator<String> pieces;

    Writing(GenerationStream stream, AnswerVerifier verifier) {
        this.stream = stream;
        this.verifier = verifier;
        this.pieces = stream.iterator();
    }

    /** Reads one piece and passes the resulting deltas to {@code reader}; returns false at the end. */
    boolean read(Consumer<AnswerStream.Delta> reader) {
        if (verifier.stop().isPresent() || !pieces.hasNext()) {
            return false;
        }
        String piece = pieces.next();
        reader.accept(new AnswerStream.Delta(AnswerStream.Channel.DRAFT, piece));
        answer(verifier.append(piece), reader);
        if (verifier.stop().isPresent()) {
            stream.cancel();
        }
        return true;
    }

    /** Ends the draft after the last piece: the rest of it is checked. */
    Generation end(Consumer<AnswerStream.Delta> reader) {
        Generation generation = stream.result();
        FinishReason finish = generation.finish();
        boolean finished = finish == FinishReason.END_OF_TEXT || finish == FinishReason.STOP_STRING;
        answer(verifier.end(finished), reader);
        return generation;
    }

    /** Stops the model at the next token. Callable from any thread. */
    void cancel() {
        stream.cancel();
    }

    void close() {
        stream.close();
    }

    AnswerVerifier verifier() {
        return verifier;
    }

    /** Why the writing ended; call it after {@link #end}. */
    Answer.Stop stop(Generation generation) {
        return verifier.stop().orElseGet(() -> switch (generation.finish()) {
            case END_OF_TEXT, STOP_STRING -> Answer.Stop.ENDED;
            case MAX_TOKENS, CONTEXT_FULL -> Answer.Stop.LENGTH;
            case CANCELLED -> Answer.Stop.CANCELLED;
        });
    }

    private static void answer(String text, Consumer<AnswerStream.Delta> reader) {
        if (!text.isEmpty()) {
            reader.accept(new AnswerStream.Delta(AnswerStream.Channel.ANSWER, text));
        }
    }
}
