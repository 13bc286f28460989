package dev.pollux.rag.source;

import dev.pollux.internal.Interrupts;
import dev.pollux.rag.source.TextDecoding.Text;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** Reads files or reports the reason for a failure. <em>Not thread-safe: one thread at a time.</em> */
final class TextFile {

    /** The rules of this class, of {@link TextDecoding} and of {@link RecordFile}; to be raised if a text comes out otherwise. */
    private static final String RECIPE = "text-1";

    private final int maxBytes;
    private final DocumentSink sink;
    private final UnaryOperator<DocumentReader> readers;

    TextFile(int maxBytes, DocumentSink sink) {
        this(maxBytes, sink, UnaryOperator.identity());
    }

    /** @param readers makes the reader that is used of an installed one */
    TextFile(int maxBytes, DocumentSink sink, UnaryOperator<DocumentReader> readers) {
        this.maxBytes = maxBytes;
        this.sink = sink;
        this.readers = readers;
    }

    /** Passes a reader to {@code work}, which reads in the child process that the options name, if they name one. */
    static void reading(FolderOptions options, DocumentSink sink, Consumer<TextFile> work) {
        if (options.isolation().isEmpty()) {
            work.accept(new TextFile(options.maxFileBytes(), sink));
            return;
        }
        try (IsolatedReader child = new IsolatedReader(options.isolation().get())) {
            work.accept(new TextFile(options.maxFileBytes(), sink, child::of));
        }
    }

    /** @param path the document's own; empty where its source and its id say it */
    void read(String id, String path, FolderWalk.Wanted wanted) {
        Path file = wanted.file();
        FileVersion version;
        byte[] bytes;
        try {
            if (!Files.isRegularFile(file)) {
                sink.skipped(id, "is not a regular file");
                return;
            }
            version = FileVersion.of(file, path, rules(wanted));
            if (sink.isUnchanged(id + (wanted.mediaType().equals(FileTypes.JSON_LINES) ? "/" : ""), version)) {
                return;
            }
            if (wanted.reader().isPresent()) {
                readDocument(wanted.reader().get(), new SourceFile(file, id, path), version);
                return;
            }
            bytes = bytes(file);
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            sink.skipped(id, "cannot be read; check its permissions");
            return;
        }
        if (bytes.length > maxBytes) {
            sink.skipped(id, "is larger than " + maxBytes + " bytes; raise maxFileBytes to read it");
            return;
        }
        Optional<Text> text = TextDecoding.decode(bytes);
        if (text.isEmpty()) {
            sink.skipped(id, reason(bytes));
            return;
        }
        text.get().notice().ifPresent(notice -> sink.notice(id, notice));
        if (text.get().text().isBlank()) {
            sink.notice(id, "is empty");
        }
        document(id, path, wanted.mediaType(), text.get().text(), version);
    }

    private static String rules(FolderWalk.Wanted wanted) {
        return wanted.reader().map(DocumentReader::recipe).orElse(RECIPE + " " + wanted.mediaType());
    }

    private void document(String id, String path, String mediaType, String text, FileVersion version) {
        RecordFile records = new RecordFile(id, path, sink);
        if (mediaType.equals(FileTypes.CSV) && CsvRows.isTable(text)) {
            records.table(text).ifPresent(table -> sink.document(table, version));
        } else if (mediaType.equals(FileTypes.JSON_LINES)) {
            records.jsonLines(text, FieldMapping.DEFAULTS);
            sink.complete(id + "/", version);
        } else {
            String shown = mediaType.equals(FileTypes.CSV) ? "text/plain" : mediaType;
            sink.document(new Document(id, path, shown, text, Map.of()), version);
        }
    }

    private void readDocument(DocumentReader reader, SourceFile file, FileVersion version) throws IOException {
        if (!Files.isReadable(file.file())) {
            sink.skipped(file.id(), "cannot be read; check its permissions");
        } else if (Files.size(file.file()) == 0) {
            sink.skipped(file.id(), "is an empty file");
        } else {
            HeldDocuments.read(readers.apply(reader), file, version, sink);
        }
    }

    /** The file's bytes, or one more than the limit where it is larger. */
    private byte[] bytes(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(maxBytes + 1);
        }
    }

    private static String reason(byte[] bytes) {
        for (byte b : bytes) {
            if (b >= 0 && b < '\b') {
                return "is binary and no text";
            }
        }
        return "is in no encoding that is known here (UTF-8, UTF-16, UTF-32, Windows-1252); convert it to UTF-8";
    }
}
