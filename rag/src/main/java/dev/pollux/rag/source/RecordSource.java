package dev.pollux.rag.source;

import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The records of a CSV or JSON Lines file of any size, each as a document. */
final class RecordSource implements DocumentSource {

    /** The rules of {@link RecordFile} and {@link FieldMapping}; to be raised if a document comes out otherwise. */
    private static final String RECIPE = "records-1";

    private static final int BUFFER = 1 << 17;
    private static final int MARK = 0xFEFF;

    private final Path file;
    private final FieldMapping mapping;

    RecordSource(Path file, FieldMapping mapping) {
        this.file = file.toAbsolutePath().normalize();
        this.mapping = mapping;
    }

    @Override
    public String name() {
        return FolderSource.name(FolderSource.real(file));
    }

    @Override
    public String path() {
        return FolderSource.real(file).toString();
    }

    @Override
    public boolean isNamed() {
        return false;
    }

    @Override
    public void read(DocumentSink sink) {
        String id = name();
        RecordFile records = new RecordFile(id, path(), sink);
        FileVersion version;
        try {
            version = FileVersion.of(file, path(), RECIPE + " " + mapping);
        } catch (IOException e) {
            throw unreadable(e);
        }
        if (sink.isUnchanged(id + "/", version)) {
            return;
        }
        try (Reader in = new BufferedReader(Files.newBufferedReader(file, StandardCharsets.UTF_8), BUFFER)) {
            in.mark(1);
            if (in.read() != MARK) {
                in.reset();
            }
            boolean lines =
                    FileTypes.mediaType(id).filter(FileTypes.JSON_LINES::equals).isPresent();
            if (lines) {
                records.jsonLines(in, mapping);
            } else {
                records.rows(in, mapping);
            }
            sink.complete(id + "/", version);
        } catch (CharacterCodingException e) {
            throw new StorageException(file + " is not UTF-8; convert it", e);
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            throw unreadable(e);
        }
    }

    private StorageException unreadable(IOException e) {
        return new StorageException("File " + file + " cannot be read; check the path and its permissions", e);
    }

    @Override
    public String toString() {
        return "records of " + file;
    }
}
