package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a knowledge base: its parts, their sizes, and the messages for what goes wrong there. <em>Immutable.</em>
 *
 * @param folder its path
 */
record StoreFolder(Path folder) {

    /** Folder of the Lucene index. */
    static final String INDEX = "index";

    /** The Lucene index. */
    Path index() {
        return folder.resolve(INDEX);
    }

    /** Rejects a folder without a knowledge base. */
    void checkExists() {
        if (!Files.isDirectory(index())) {
            throw none(null);
        }
    }

    /** The message that there is none. */
    StorageException none(@Nullable IOException cause) {
        String message = "There is no knowledge base in " + folder + "; ingest documents into it first";
        return cause == null ? new StorageException(message) : new StorageException(message, cause);
    }

    /** Rejects a folder that holds other files and, unless a new one may be created, one that holds none. */
    void check(boolean writable) throws IOException {
        if (Files.isDirectory(index())) {
            return;
        }
        if (!writable) {
            checkExists();
        }
        if (Files.isDirectory(folder)) {
            try (Stream<Path> entries = Files.list(folder)) {
                // asked again: another thread may just have made the index
                if (entries.findAny().isPresent() && !Files.isDirectory(index())) {
                    throw new StorageException("Folder " + folder
                            + " holds other files and no knowledge base; give a new folder or an empty one");
                }
            }
        }
    }

    /** Size of the index and the derived files. */
    long bytesOnDisk() {
        return bytesIn(index()) + bytesIn(folder.resolve(DerivedFiles.FOLDER));
    }

    /** Size of the derived files. */
    long derivedBytes() {
        return bytesIn(folder.resolve(DerivedFiles.FOLDER));
    }

    private long bytesIn(Path files) {
        if (!Files.isDirectory(files)) {
            return 0;
        }
        long bytes = 0;
        try (Stream<Path> listed = Files.list(files)) {
            for (Path file : listed.toList()) {
                bytes += Files.exists(file) ? Files.size(file) : 0;
            }
            return bytes;
        } catch (IOException e) {
            throw failure("read", e);
        }
    }

    /** The message that the knowledge base is closed. */
    String closed() {
        return "The knowledge base in " + folder + " is closed";
    }

    /** What to throw for a failure while the knowledge base was to be {@code verb}: opened, read, written or closed. */
    RuntimeException failure(String verb, IOException e) {
        if (Interrupts.isCauseOf(e)) {
            return Interrupts.cancelled(e);
        }
        if (e instanceof CorruptIndexException) {
            return new MalformedFileException(
                    "The knowledge base in " + folder + " is damaged: " + e.getMessage()
                            + "; delete the folder and ingest again",
                    e);
        }
        if (e instanceof IndexFormatTooNewException || e instanceof IndexFormatTooOldException) {
            return LuceneCompatibility.otherVersion(folder, e);
        }
        return new StorageException(
                "The knowledge base in " + folder + " cannot be " + verb + ": " + e.getMessage()
                        + "; check the path, its permissions and the free space",
                e);
    }
}
