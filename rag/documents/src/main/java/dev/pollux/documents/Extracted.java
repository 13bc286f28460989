package dev.pollux.documents;

import dev.pollux.rag.source.SourceFile;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Passage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The text and the metadata that a reader collects of one file. <em>Confined to one thread.</em> */
final class Extracted {

    private final Guard guard;
    private final Markdown text;
    private final Map<String, String> metadata = new TreeMap<>();
    private final List<String> notices = new ArrayList<>();

    Extracted(Guard guard) {
        this.guard = guard;
        this.text = new Markdown(guard);
    }

    Guard guard() {
        return guard;
    }

    Markdown text() {
        return text;
    }

    /** Adds a field of metadata unless it is blank or known. */
    void field(String name, String value) {
        String shown = Spaces.collapse(value).replace('\n', ' ');
        if (!shown.isBlank()) {
            metadata.putIfAbsent(name, shown);
        }
    }

    Map<String, String> metadata() {
        return metadata;
    }

    /** A notice, as a phrase that follows the file's name. */
    void notice(String message) {
        notices.add(message);
    }

    List<String> notices() {
        return notices;
    }

    Document document(SourceFile file) {
        return new Document(file.id(), file.path(), Passage.MARKDOWN, text.text(), metadata, text.places());
    }
}
