package dev.pollux.rag.knowledge;

import dev.pollux.internal.Interrupts;
import dev.pollux.rag.source.FileVersion;
import java.io.IOException;

/** The versions of the files that the documents of a source were made of. <em>Not thread-safe: one thread at a time.</em> */
final class KnownFiles {

    /**
     * The version of a file, as the record of its document holds it.
     *
     * @param state hash of {@link FileVersion#state}; empty if the file has none
     * @param content hash of {@link FileVersion#content}; empty if unknown
     */
    record Stamp(String state, String content) {

        static final Stamp NONE = new Stamp("", "");
    }

    private final String recipe;
    private final DocumentTable states = new DocumentTable();
    private final DocumentTable contents = new DocumentTable();
    private String asked = "";
    private Stamp stamp = Stamp.NONE; // of the file of the document that was asked for

    /** @param recipe names the rules by which documents become passages */
    KnownFiles(String recipe) {
        this.recipe = recipe;
    }

    /** Adds the files of the documents of a source. */
    void know(Snapshot snapshot, String source) throws IOException {
        snapshot.values(source, IndexLayout.FILE_STATE, states::know);
        snapshot.values(source, IndexLayout.FILE_CONTENT, contents::know);
    }

    /** Whether a document is known in this version of its file. */
    boolean isUnchanged(String id, FileVersion file) {
        String state = file.state().isEmpty() ? "" : Hashes.of(file.state(), recipe);
        asked = id;
        stamp = Stamp.NONE;
        if (!state.isEmpty() && states.isKnown(id, state)) {
            return true;
        }
        try {
            stamp = new Stamp(state, Hashes.of(file.content(), recipe));
            return contents.isKnown(id, stamp.content());
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            return false; // the source will say why it cannot be read
        }
    }

    /** The version of the file of a document, for which {@link #isUnchanged} was false. */
    Stamp stamp(String id) {
        return id.equals(asked) ? stamp : Stamp.NONE;
    }
}
