package dev.pollux.inference.engine;

import dev.pollux.inference.onnx.DecoderGraph;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The tokenizer and the chat template of a model, read by a thread of their own while the session packs the weights, which one
 * thread does. The thread ends before {@link #get} returns. <em>Confined to one thread.</em>
 */
final class OpeningTexts {

    private final FutureTask<PromptEncoder> task;

    private OpeningTexts(DecoderGraph graph) {
        this.task = new FutureTask<>(() -> PromptEncoder.open(graph));
    }

    /** Begins to read. */
    static OpeningTexts of(DecoderGraph graph) {
        OpeningTexts made = new OpeningTexts(graph);
        Thread thread = new Thread(made.task, "pollux-open-texts");
        thread.setDaemon(true);
        thread.start();
        return made;
    }

    /** Waits for the end; throws what the reading threw. */
    PromptEncoder get() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // the texts must be closed by someone
                } catch (ExecutionException e) {
                    throw thrown(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static RuntimeException thrown(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return e.getCause() instanceof RuntimeException exception ? exception : new IllegalStateException(e.getCause());
    }

    /** Closes what was read after {@code failure}; an error of the reading comes first. */
    void abandon(Throwable failure) {
        try {
            get().close();
        } catch (RuntimeException | Error e) {
            e.addSuppressed(failure);
            throw e;
        }
    }
}
