package dev.pollux.rag.source;

import java.nio.file.Path;

/**
 * A file for a {@link DocumentReader}. <em>Immutable.</em>
 *
 * @param file the file, which is in its source
 * @param id id of the document to make of it
 * @param path address of the document; empty if its source and its id say it
 */
public record SourceFile(Path file, String id, String path) {

    /** The part of the file's name after the last dot, in lower case; empty if there is none. */
    public String ending() {
        return FileTypes.ending(String.valueOf(file.getFileName()));
    }
}
