package dev.pollux.rag.source;

import java.util.Map;

/**
 * Reads files of types that are not plain text. {@link DocumentSource#folder} and {@link DocumentSource#file} find readers with
 * {@link java.util.ServiceLoader}; the artifact {@code pollux-documents} contains one for PDF, HTML, Office files, e-books and mail.
 * <em>Thread-safe.</em>
 */
public interface DocumentReader {

    /**
     * The file types that it reads: a name such as {@code PDF}, by the ending of the files in lower case and without a dot.
     */
    Map<String, String> kinds();

    /**
     * A text that names the reader and the options that determine its documents. If it changes, files are read again even if
     * they have not changed. Default: the name of the class.
     */
    default String recipe() {
        return getClass().getName();
    }

    /**
     * Reads a file and passes its documents to {@code sink}, or the reason why there are none to {@link DocumentSink#skipped}.
     *
     * <p>If it throws an exception, the file is skipped and its documents are discarded.
     *
     * @throws dev.pollux.CancelledException if the thread was interrupted
     */
    void read(SourceFile file, DocumentSink sink);
}
