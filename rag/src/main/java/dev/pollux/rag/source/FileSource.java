package dev.pollux.rag.source;

import dev.pollux.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A file as a source of one document, whose id is the file's name. */
final class FileSource implements DocumentSource {

    private final Path file;
    private final FolderOptions options;

    FileSource(Path file, FolderOptions options) {
        this.file = file.toAbsolutePath().normalize();
        this.options = options;
    }

    @Override
    public String name() {
        return options.name().orElseGet(() -> FolderSource.name(FolderSource.real(file)));
    }

    @Override
    public String path() {
        return FolderSource.real(file).toString();
    }

    @Override
    public String link() {
        return path().equals(file.toString()) ? "" : file.toString();
    }

    @Override
    public boolean isNamed() {
        return options.name().isPresent();
    }

    @Override
    public void read(DocumentSink sink) {
        if (!Files.isRegularFile(file)) {
            throw new StorageException("File " + file + " cannot be read; check the path and its permissions");
        }
        String id = String.valueOf(FolderSource.real(file).getFileName());
        sink.expect(1);
        Optional<DocumentReader> reader = FileTypes.mediaType(id).isPresent()
                ? Optional.empty()
                : DocumentReaders.installed().of(id);
        String kind = FileTypes.unread(id);
        if (reader.isPresent() || kind.isEmpty()) {
            FolderWalk.Wanted wanted = new FolderWalk.Wanted(file, FileTypes.mediaTypeAsked(id), reader);
            TextFile.reading(options, sink, text -> text.read(id, path(), wanted));
        } else {
            sink.unread(id, kind, FolderWalk.Unread.type(kind).reason());
        }
    }

    @Override
    public String toString() {
        return "file " + file;
    }
}
