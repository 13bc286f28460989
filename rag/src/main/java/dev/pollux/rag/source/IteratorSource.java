package dev.pollux.rag.source;

import dev.pollux.CancelledException;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Document;
import java.util.Iterator;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Documents of the host, one by one. A document that cannot be made is skipped with its number. */
final class IteratorSource implements DocumentSource {

    /** So many failures in a row, and the iterator is given up. */
    private static final int MOST_FAILURES = 3;

    private final String name;
    private final Supplier<? extends Stream<Document>> documents;

    IteratorSource(String name, Supplier<? extends Stream<Document>> documents) {
        this.name = name;
        this.documents = documents;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void read(DocumentSink sink) {
        try (Stream<Document> stream = documents.get()) {
            read(stream.iterator(), sink);
        }
    }

    private static void read(Iterator<Document> iterator, DocumentSink sink) {
        int failures = 0;
        for (long number = 1; failures < MOST_FAILURES; number++) {
            Document document = null;
            try {
                if (!iterator.hasNext()) {
                    return;
                }
                document = iterator.next();
            } catch (CancelledException e) {
                throw e;
            } catch (RuntimeException e) {
                if (Interrupts.isCauseOf(e)) {
                    throw Interrupts.cancelled(e);
                }
                failures++;
                sink.failedRecord("row " + number, "cannot be read: " + e.getMessage());
            }
            if (document != null) {
                failures = 0;
                sink.document(document);
            }
        }
        sink.failedRecord("/", "is read no further after " + MOST_FAILURES + " rows in a row that cannot be read");
    }

    @Override
    public String toString() {
        return "documents of " + name;
    }
}
