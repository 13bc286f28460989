package dev.pollux.rag.source;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;

/** The readers on the class path or module path, by file type. <em>Immutable.</em> */
final class DocumentReaders {

    private final Map<String, DocumentReader> byEnding = new HashMap<>();

    private DocumentReaders() {}

    /** Finds the readers; of two for one type, the first is used. */
    static DocumentReaders installed() {
        DocumentReaders readers = new DocumentReaders();
        ServiceLoader.load(DocumentReader.class, DocumentReader.class.getClassLoader())
                .forEach(readers::add);
        return readers;
    }

    private void add(DocumentReader reader) {
        reader.kinds().keySet().forEach(ending -> byEnding.putIfAbsent(ending, reader));
    }

    /** The reader of files with this name. */
    Optional<DocumentReader> of(String name) {
        return Optional.ofNullable(byEnding.get(FileTypes.ending(name)));
    }
}
