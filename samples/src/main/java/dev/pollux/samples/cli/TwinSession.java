package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.Generator;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.job.Job;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.twin.Twin;
import dev.pollux.twin.TwinOptions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** A twin with all it needs, open: the model is opened while the documents are read. <em>Not thread-safe: one thread at a
 * time.</em>
 */
final class TwinSession implements AutoCloseable {

    /** What a command line says about it. */
    record Setup(DocumentOptions documents, TwinSettings settings, ModelOptions model, ResourceOptions resources) {}

    private final Deque<Runnable> open = new ArrayDeque<>();
    private final Twin twin;

    TwinSession(PolluxCommand command, Setup setup, TwinOptions options) {
        try {
            Optional<Opening<Generator>> model =
                    setup.settings().writes() ? Optional.of(opening(command, setup)) : Optional.empty();
            model.ifPresent(opening -> open.push(opening::close));
            Embedder embedder = setup.documents().openEmbedder(setup.resources());
            open.push(embedder::close);
            KnowledgeBase knowledge =
                    new Knowledge(command, setup.documents(), setup.resources()).openUpdated(embedder);
            open.push(knowledge::close);
            this.twin = setup.settings().twin(knowledge.retriever(), embedder, model.map(Opening::get), options);
        } catch (RuntimeException | Error e) { // also what a class does that is first used while the JVM ends
            close();
            throw e;
        }
    }

    private static Opening<Generator> opening(PolluxCommand command, Setup setup) {
        Job<OnnxGenerator> job = setup.model().opening(command, setup.resources());
        return Opening.begin("open", () -> setup.model().adapted(command.run(job)), job::cancel);
    }

    Twin twin() {
        return twin;
    }

    /** Closes the twin's parts, the last opened first. */
    @Override
    public void close() {
        while (!open.isEmpty()) {
            open.pop().run();
        }
    }
}
