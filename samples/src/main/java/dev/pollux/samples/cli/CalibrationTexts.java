package dev.pollux.samples.cli;

import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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
        DocumentSource source = Files.isDirectory(path) ? DocumentSource.folder(path) : DocumentSource.file(path);
        source.read(new Paragraphs(all));
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
        new Paragraphs(all).add(text);
        int count = Math.min(MOST_TEXTS, all.size());
        List<String> chosen = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            chosen.add(all.get((int) ((long) i * all.size() / count)));
        }
        return chosen;
    }

    /** Collects paragraphs; files that cannot be read are left out. */
    private record Paragraphs(List<String> all) implements DocumentSink {

        @Override
        public void document(Document document) {
            add(document.text());
        }

        void add(String document) {
            for (String paragraph : document.split("\\R\\s*\\R")) {
                String text = paragraph.strip();
                if (text.length() >= LEAST_CHARACTERS) {
                    all.add(text.substring(0, Math.min(text.length(), MOST_CHARACTERS)));
                }
            }
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
