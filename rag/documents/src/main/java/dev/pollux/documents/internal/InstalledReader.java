package dev.pollux.documents.internal;

import dev.pollux.documents.DocumentFileReader;
import dev.pollux.rag.source.DocumentReader;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.SourceFile;
import java.util.Map;

/** The reader with the default limits. <em>Thread-safe.</em> */
public final class InstalledReader implements DocumentReader {

    private final DocumentReader reader = DocumentFileReader.create();

    /** Called by {@link java.util.ServiceLoader}. */
    public InstalledReader() {}

    @Override
    public Map<String, String> kinds() {
        return reader.kinds();
    }

    @Override
    public String recipe() {
        return reader.recipe();
    }

    @Override
    public void read(SourceFile file, DocumentSink sink) {
        reader.read(file, sink);
    }
}
