package dev.pollux.inference.internal.natives;

import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks resources of a jar into the cache, once for all processes.
 *
 * <p>The folder's name contains size and checksum of its files, so each version of a library gets its own folder. An
 * existing file is used if its bytes match the checksum in the jar. Otherwise the file is written to a temporary name in
 * the same folder, checked, and moved into place. A killed process may leave a partial file, which a later process deletes.
 * Concurrent processes write equal bytes, so the order of their moves does not matter. <em>Thread-safe.</em>
 */
final class UnpackedFiles {

    private static final String PART = ".part";
    private static final long LEFT_BEHIND_MILLIS = 3_600_000;

    private UnpackedFiles() {}

    /**
     * Unpacks those of {@code resources} that exist.
     *
     * @param anchor a class from the same jar
     * @param folder the parent of the files' folder
     * @param resources names from the root of the class path; absent ones are skipped
     * @return the folder of the files, or empty if none of the resources is there
     * @throws dev.pollux.CancelledException if the thread is interrupted; no target file is incomplete
     * @throws StorageException if the folder cannot be written
     */
    static Optional<Path> of(Class<?> anchor, Path folder, List<String> resources) {
        List<Source> found = new ArrayList<>();
        try {
            for (String resource : resources) {
                URL url = anchor.getResource("/" + resource);
                if (url != null) {
                    found.add(new Source(url, Content.of(url)));
                }
            }
            if (found.isEmpty()) {
                return Optional.empty();
            }
            Path target = folder.resolve(key(found));
            for (Source source : found) {
                provide(source, target);
            }
            return Optional.of(target.toAbsolutePath());
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            throw new StorageException(
                    "Cannot unpack native libraries into " + folder + ": " + e
                            + "; set the system property pollux.cache or the variable POLLUX_CACHE to a folder that can be"
                            + " written",
                    e);
        }
    }

    private static String key(List<Source> files) {
        CRC32 all = new CRC32();
        files.forEach(file -> all.update((file.name() + " " + file.content() + "\n").getBytes(StandardCharsets.UTF_8)));
        return String.format("%08x", all.getValue());
    }

    private static void provide(Source source, Path folder) throws IOException {
        Path target = folder.resolve(source.name());
        Content wanted = source.content();
        if (wanted.isIn(target)) {
            return;
        }
        Files.createDirectories(folder);
        deleteLeftParts(folder);
        Path part = Files.createTempFile(folder, source.name(), PART);
        try {
            try (InputStream in = source.url().openStream()) {
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            }
            if (!wanted.isIn(part)) {
                throw new IOException("what was written of " + source.url() + " differs from it");
            }
            move(part, target);
        } catch (IOException e) {
            if (Interrupts.isCauseOf(e)
                    || !wanted.isIn(target)) { // else another process moved its copy first and has it open
                throw e;
            }
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static void move(Path part, Path target) throws IOException {
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void deleteLeftParts(Path folder) throws IOException {
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "*" + PART)) {
            for (Path part : parts) {
                if (System.currentTimeMillis() - Files.getLastModifiedTime(part).toMillis() > LEFT_BEHIND_MILLIS) {
                    Files.deleteIfExists(part);
                }
            }
        }
    }

    /** A resource. URLs are never used as map keys, because {@code URL.equals} may resolve host names. */
    private record Source(URL url, Content content) {

        String name() {
            String path = url.getPath();
            return path.substring(path.lastIndexOf('/') + 1);
        }
    }

    /** Size and checksum of a file, as in the jar's directory. */
    private record Content(long bytes, long crc32) {

        /** Read from the jar's directory, or computed from the bytes if there is no jar, as in a jlink image. */
        static Content of(URL url) throws IOException {
            URLConnection connection = url.openConnection();
            connection.setUseCaches(false);
            if (connection instanceof JarURLConnection inJar) {
                try (JarFile jar = inJar.getJarFile()) {
                    JarEntry entry = jar.getJarEntry(inJar.getEntryName());
                    if (entry != null && entry.getSize() >= 0 && entry.getCrc() >= 0) {
                        return new Content(entry.getSize(), entry.getCrc());
                    }
                }
            }
            CRC32 crc = new CRC32();
            long bytes = 0;
            byte[] buffer = new byte[1 << 16];
            try (InputStream in = url.openStream()) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    crc.update(buffer, 0, n);
                    bytes += n;
                }
            }
            return new Content(bytes, crc.getValue());
        }

        boolean isIn(@Nullable Path file) throws IOException {
            if (file == null || !Files.isRegularFile(file) || Files.size(file) != bytes) {
                return false;
            }
            CRC32 crc = new CRC32();
            try (FileChannel channel = FileChannel.open(file)) {
                MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes);
                crc.update(mapped);
            }
            return crc.getValue() == crc32;
        }
    }
}
