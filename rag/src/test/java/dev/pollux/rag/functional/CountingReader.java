package dev.pollux.rag.functional;

import dev.pollux.rag.source.DocumentReader;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.SourceFile;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** Reads files that end in {@code counted}, a document of each part between lines of dashes, and lists what it read. */
public final class CountingReader implements DocumentReader {

    static final List<String> READ = new CopyOnWriteArrayList<>();

    static volatile String recipe = "1";

    @Override
    public Map<String, String> kinds() {
        return Map.of("counted", "COUNTED");
    }

    @Override
    public String recipe() {
        return recipe;
    }

    @Override
    public void read(SourceFile file, DocumentSink sink) {
        READ.add(file.id());
        try {
            String[] parts = Files.readString(file.file()).split("\n---\n");
            for (int i = 0; i < parts.length; i++) {
                String id = i == 0 ? file.id() : file.id() + "/" + i;
                sink.document(new Document(id, file.path(), "text/plain", parts[i].replace("!", ""), Map.of()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
