package dev.pollux.samples.cli;

import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Texts to calibrate a quantized model with: paragraphs of a file, or of the documents of a folder. */
final class CalibrationTexts {

    private static final int MOST_TEXTS = 128;
    private static final int LEAST_CHARACTERS = 40;
    private static final int MOST_CHARACTERS = 2000;

    private CalibrationTexts() {}

    /**
     * At most 128 paragraphs of at least 40 characters, evenly chosen. A longer one is cut at 2,000 characters.
     *
     * @throws IllegalArgumentException if there is none
     */
    static List<String> read(Path path) {
        List<String> all = new ArrayList<>();
        read(path, document -> paragraphs(document.text(), all));
        if (all.isEmpty()) {
            throw new IllegalArgumentException(path + " must hold at least one paragraph of " + LEAST_CHARACTERS
                    + " characters but holds none; give texts of the kind that the model reads");
        }
        int count = Math.min(MOST_TEXTS, all.size());
        List<String> chosen = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            chosen.add(all.get((int) ((long) i * all.size() / count)));
        }
        return chosen;
    }

    /** The paragraphs of a text, chosen like those of documents. */
    static List<String> passages(String text) {
        List<String> all = new ArrayList<>();
        paragraphs(text, all);
        int count = Math.min(MOST_TEXTS, all.size());
        List<String> chosen = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            chosen.add(all.get((int) ((long) i * all.size() / count)));
        }
        return chosen;
    }

    /**
     * The texts of a file, or of the documents of a folder.
     *
     * @throws IllegalArgumentException if there is none
     */
    static List<String> whole(Path path) {
        List<String> all = new ArrayList<>();
        read(path, document -> {
            if (!document.text().isBlank()) {
                all.add(document.text());
            }
        });
        if (all.isEmpty()) {
            throw new IllegalArgumentException(path
                    + " must hold at least one document with text but holds none; give texts of the kind that the model"
                    + " reads");
        }
        return all;
    }

    private static void read(Path path, Consumer<Document> reader) {
        DocumentSource source = Files.isDirectory(path) ? DocumentSource.folder(path) : DocumentSource.file(path);
        source.read(new Documents(reader));
    }

    private static void paragraphs(String document, List<String> all) {
        for (String paragraph : document.split("\\R\\s*\\R")) {
            String text = paragraph.strip();
            if (text.length() >= LEAST_CHARACTERS) {
                all.add(text.substring(0, Math.min(text.length(), MOST_CHARACTERS)));
            }
        }
    }

    /** Passes on documents; files that cannot be read are left out. */
    private record Documents(Consumer<Document> reader) implements DocumentSink {

        @Override
        public void document(Document document) {
            reader.accept(document);
        }

        @Override
        public void expect(long documents) {}

        @Override
        public void skipped(String id, String reason) {}

        @Override
        public void unread(String id, String kind, String reason) {}

        @Override
        public void notice(String id, String message) {}
    }
}
