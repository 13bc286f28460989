package dev.pollux.rag.source;

import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The text files of a folder. */
final class FolderSource implements DocumentSource {

    private final Path folder;
    private final FolderOptions options;

    FolderSource(Path folder, FolderOptions options) {
        this.folder = folder.toAbsolutePath().normalize();
        this.options = options;
    }

    @Override
    public String name() {
        return options.name().orElseGet(() -> name(real(folder)));
    }

    @Override
    public String path() {
        return real(folder).toString();
    }

    @Override
    public String link() {
        return path().equals(folder.toString()) ? "" : folder.toString();
    }

    @Override
    public boolean isNamed() {
        return options.name().isPresent();
    }

    @Override
    public void read(DocumentSink sink) {
        Path root = realRoot();
        FolderWalk walk = FolderWalk.through(root, options);
        sink.expect(walk.wanted().size() + walk.skipped().size());
        walk.skipped().forEach(sink::skipped);
        walk.unread().forEach((id, file) -> sink.unread(id, file.kind(), file.reason()));
        TextFile.reading(
                options,
                sink,
                reader -> walk.wanted().forEach((id, wanted) -> {
                    if (isInside(root, id, wanted.file(), sink)) {
                        reader.read(id, "", wanted);
                    }
                }));
    }

    @Override
    public String toString() {
        return "folder " + folder;
    }

    /** The real path with links resolved; the given path if it does not exist. */
    static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            return path;
        }
    }

    /** The name of a folder or file, without characters that are invalid in a source's name. */
    static String name(Path path) {
        Path last = path.getFileName();
        String name = String.valueOf(last == null ? path : last).replaceAll("[#\\p{Cc}]", "_");
        return name.isBlank() ? "_" : name;
    }

    private Path realRoot() {
        try {
            Path root = folder.toRealPath();
            if (!Files.isDirectory(root)) {
                throw new StorageException(folder + " is not a folder; give the folder that holds the documents");
            }
            return root;
        } catch (IOException e) {
            throw new StorageException("Folder " + folder + " cannot be read; check the path and its permissions", e);
        }
    }

    private static boolean isInside(Path root, String id, Path file, DocumentSink sink) {
        try {
            boolean inside = !Files.isSymbolicLink(file) || file.toRealPath().startsWith(root);
            if (!inside) {
                sink.skipped(id, "is a link out of the folder");
            }
            return inside;
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            sink.skipped(id, "is a link to nothing");
            return false;
        }
    }
}
