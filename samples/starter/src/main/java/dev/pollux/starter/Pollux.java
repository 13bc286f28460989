package dev.pollux.starter;

import java.nio.file.Path;

/**
 * The first call: a twin that answers from a folder of documents.
 *
 * <pre>{@code
 * try (DocumentTwin twin = Pollux.twin(Path.of("docs"))) {
 *     System.out.println(twin.ask("How do I merge two models?").text());
 * }
 * }</pre>
 *
 * <p>The parts below are there for whoever wants to put them together otherwise: {@link DocumentTwin} says which they are.
 */
public final class Pollux {

    private Pollux() {}

    /**
     * A twin that quotes from the Markdown and text files of a folder, with the defaults of {@link DocumentTwinOptions}: what
     * is new or changed there is read before this returns, the rest is known from last time.
     *
     * @param documents a folder
     * @return to be closed by the caller
     * @throws dev.pollux.StorageException if there is no such folder, or the cache cannot be written
     */
    public static DocumentTwin twin(Path documents) {
        return twin(DocumentTwinOptions.of(documents));
    }

    /**
     * A twin with options; {@link DocumentTwin#opening} is the same as a job, for progress and cancellation.
     *
     * @param options the documents, and how the twin reads and answers
     * @return to be closed by the caller
     * @throws dev.pollux.StorageException if documents are missing, or the cache cannot be written
     */
    public static DocumentTwin twin(DocumentTwinOptions options) {
        return DocumentTwin.opening(options).run();
    }
}
