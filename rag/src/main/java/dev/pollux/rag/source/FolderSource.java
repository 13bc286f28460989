package dev.pollux.rag.source;

import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The text files of a folder. */
final class FolderSource implements DocumentSource {

    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Path folder;
    private final FolderOptions options;

    FolderSource(Path folder, FolderOptions options) {
        this.folder = folder.toAbsolutePath().normalize();
        this.options = options;
    }

    @Override
    public String name() {
        return options.name().orElseGet(() -> folder.toString().replace("#", "%23"));
    }

    @Override
    public void read(DocumentSink sink) {
        Path root = realRoot();
        SortedMap<String, Path> files = new TreeMap<>(); // id -> file as named in the folder
        SortedMap<String, String> skipped = new TreeMap<>(); // id -> reason
        walk(root, files, skipped);
        sink.expect(files.size() + skipped.size());
        skipped.forEach(sink::skipped);
        files.forEach((id, file) -> read(root, id, file, sink));
    }

    @Override
    public String toString() {
        return "folder " + folder;
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

    private void walk(Path root, Map<String, Path> files, Map<String, String> skipped) {
        Deque<Path> folders = new ArrayDeque<>();
        folders.add(root);
        while (!folders.isEmpty()) {
            Path next = folders.remove();
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(next)) {
                for (Path entry : entries) {
                    if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                        if (!isHidden(entry)) {
                            folders.add(entry);
                        }
                    } else if (isWanted(entry)) {
                        files.put(id(root, entry), entry);
                    }
                }
            } catch (IOException | java.nio.file.DirectoryIteratorException e) {
                if (next.equals(root)) {
                    throw new StorageException("Folder " + folder + " cannot be listed; check its permissions", e);
                }
                skipped.put(id(root, next) + "/", "cannot be listed; check its permissions");
            }
        }
    }

    private boolean isWanted(Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        int dot = name.lastIndexOf('.');
        return dot > 0
                && options.extensions().contains(name.substring(dot + 1).toLowerCase(Locale.ROOT))
                && !isHidden(file)
                && !Files.isDirectory(file);
    }

    private static boolean isHidden(Path file) throws IOException {
        return String.valueOf(file.getFileName()).startsWith(".") || Files.isHidden(file);
    }

    private static String id(Path root, Path file) {
        StringBuilder id = new StringBuilder();
        for (Path name : root.relativize(file)) {
            id.append(id.isEmpty() ? "" : "/").append(name);
        }
        return id.toString();
    }

    private void read(Path root, String id, Path file, DocumentSink sink) {
        String text;
        try {
            Path real = file.toRealPath();
            if (!real.startsWith(root)) {
                sink.skipped(id, "is a link out of the folder");
                return;
            }
            if (!Files.isRegularFile(real)) {
                sink.skipped(id, "is not a regular file");
                return;
            }
            byte[] bytes = bytes(real);
            if (bytes.length > options.maxFileBytes()) {
                sink.skipped(id, "is larger than " + options.maxFileBytes() + " bytes; raise maxFileBytes to read it");
                return;
            }
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            sink.skipped(id, "is not UTF-8; convert it");
            return;
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            sink.skipped(id, "cannot be read; check its permissions");
            return;
        }
        if (text.indexOf('\0') >= 0) {
            sink.skipped(id, "holds a NUL character and so is no text");
            return;
        }
        if (!text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK) {
            text = text.substring(1);
        }
        sink.document(new Document(id, mediaType(id), text, Map.of()));
    }

    /** The file's bytes, or one more than the limit where it is larger. */
    private byte[] bytes(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(options.maxFileBytes() + 1);
        }
    }

    private static String mediaType(String id) {
        String name = id.toLowerCase(Locale.ROOT);
        return name.endsWith(".md") || name.endsWith(".markdown") ? "text/markdown" : "text/plain";
    }
}
