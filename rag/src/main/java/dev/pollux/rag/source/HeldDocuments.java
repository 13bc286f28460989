package dev.pollux.rag.source;

import dev.pollux.CancelledException;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Runs a {@link DocumentReader} and holds its results until it has ended, so that its failures are told from those of the sink. */
final class HeldDocuments implements DocumentSink {

    private final List<Consumer<DocumentSink>> results = new ArrayList<>();
    private final List<Document> documents = new ArrayList<>();

    private HeldDocuments() {}

    /**
     * Reads a file into {@code sink}; a file that makes the reader fail is skipped.
     *
     * @param version the file before it was read
     */
    static void read(DocumentReader reader, SourceFile file, FileVersion version, DocumentSink sink) {
        HeldDocuments held = new HeldDocuments();
        String reason = held.read(reader, file);
        if (reason.isEmpty()) {
            held.results.forEach(result -> result.accept(sink));
            boolean only =
                    held.documents.size() == 1 && held.documents.get(0).id().equals(file.id());
            held.documents.forEach(document -> {
                if (only) {
                    sink.document(document, version);
                } else {
                    sink.document(document);
                }
            });
        } else {
            sink.skipped(file.id(), reason);
        }
    }

    /** Reads a file into {@code sink}, whatever its version; a file that makes the reader fail is skipped. */
    static void read(DocumentReader reader, SourceFile file, DocumentSink sink) {
        HeldDocuments held = new HeldDocuments();
        String reason = held.read(reader, file);
        if (reason.isEmpty()) {
            held.results.forEach(result -> result.accept(sink));
            held.documents.forEach(sink::document);
        } else {
            sink.skipped(file.id(), reason);
        }
    }

    private String read(DocumentReader reader, SourceFile file) {
        try {
            reader.read(file, this);
            return results.isEmpty() && documents.isEmpty() ? "has no text" : "";
        } catch (CancelledException e) {
            throw e;
        } catch (StackOverflowError e) {
            return "is nested too deeply";
        } catch (OutOfMemoryError e) {
            return "needs more memory than this JVM has; raise -Xmx or split the file";
        } catch (RuntimeException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            return "cannot be read: " + cause(e);
        }
    }

    private static String cause(RuntimeException e) {
        String message = e.getMessage();
        return message == null || message.isBlank()
                ? e.getClass().getSimpleName().toLowerCase(Locale.ROOT)
                : message.strip().replaceAll("\\s+", " ");
    }

    @Override
    public void expect(long documents) {
        // The folder has announced its files.
    }

    @Override
    public void document(Document document) {
        documents.add(document);
    }

    @Override
    public void skipped(String id, String reason) {
        results.add(sink -> sink.skipped(id, reason));
    }

    @Override
    public void failedRecord(String id, String reason) {
        results.add(sink -> sink.failedRecord(id, reason));
    }

    @Override
    public void unread(String id, String kind, String reason) {
        results.add(sink -> sink.unread(id, kind, reason));
    }

    @Override
    public void notice(String id, String message) {
        results.add(sink -> sink.notice(id, message));
    }
}
