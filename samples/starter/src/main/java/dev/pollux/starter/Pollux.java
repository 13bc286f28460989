package dev.pollux.starter;

import java.nio.file.Path;

/**
 * The entry point: opens a twin that answers from a folder of documents.
 *
 * <pre>{@code
 * try (DocumentTwin twin = Pollux.twin(Path.of("docs"))) {
 *     System.out.println(twin.ask("How do I merge two models?").text());
 * }
 * }</pre>
 *
 * <p>To combine the parts differently, see {@link DocumentTwin}.
 */
public final class Pollux {

    private Pollux() {}

    /**
     * Opens a twin that quotes from the Markdown and text files of a folder, with the defaults of
     * {@link DocumentTwinOptions}. New and changed files are read before this method returns; unchanged files come from the
     * cache.
     *
     * @param documents a folder
     * @return the twin, which the caller closes
     * @throws dev.pollux.StorageException if the folder does not exist or the cache cannot be written
     */
    public static DocumentTwin twin(Path documents) {
        return twin(DocumentTwinOptions.of(documents));
    }

    /**
     * Opens a twin with options. For progress and cancellation, use {@link DocumentTwin#openJob}, the same operation as a
     * job.
     *
     * @param options the documents, and how the twin reads and answers
     * @return the twin, which the caller closes
     * @throws dev.pollux.StorageException if documents are missing or the cache cannot be written
     */
    public static DocumentTwin twin(DocumentTwinOptions options) {
        return DocumentTwin.openJob(options).run();
    }
}
