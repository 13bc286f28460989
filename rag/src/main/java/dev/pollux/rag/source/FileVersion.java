package dev.pollux.rag.source;

import dev.pollux.internal.Interrupts;
import dev.pollux.internal.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * The version of a file and of the rules by which it is read, so that a {@link DocumentSink} can tell without reading the
 * document whether it has changed. <em>Immutable. Thread-safe.</em>
 */
public final class FileVersion {

    /*
     * As in Git's index, equal size, times and file number mean an equal file. A file that is written again within one tick of
     * the file system's clock has an equal state, so a file whose last change is too recent when it is looked at has no state,
     * and its content decides. The state is taken before the content is read: a change in between gives a state that is never
     * seen again.
     */

    /** The tick of a file system whose times have fractions of a second. */
    private static final Duration TICK = Duration.ofMillis(100);

    /** The tick of file systems such as FAT. */
    private static final Duration LONG_TICK = Duration.ofSeconds(2);

    private static final int BUFFER = 1 << 16;

    private final Path file;
    private final String path;
    private final String state;
    private final String rules;

    private FileVersion(Path file, String path, String state, String rules) {
        this.file = file;
        this.path = path;
        this.state = state;
        this.rules = rules;
    }

    /**
     * @param path address of the document
     * @param rules names the rules by which the file is read
     */
    static FileVersion of(Path file, String path, String rules) throws IOException {
        return new FileVersion(file, path, state(file), path + "\n" + rules);
    }

    /** The same file under further rules. */
    FileVersion with(String further) {
        return new FileVersion(file, path, state, rules + "\n" + further);
    }

    /** The path of the file's document, as {@link dev.pollux.retrieval.Document#path()}. */
    public String path() {
        return path;
    }

    /**
     * Equal if the file was not changed: rules, size, times and number of the file. Empty if the file was changed too recently
     * to tell.
     */
    public String state() {
        return state.isEmpty() ? "" : state + "\n" + rules;
    }

    /**
     * Equal if the content is equal: rules and SHA-256 of the file, which is read.
     *
     * @throws IOException if the file cannot be read
     */
    public String content() throws IOException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                Interrupts.check();
                digest.update(buffer, 0, n);
            }
        }
        return Sha256.hex(digest) + "\n" + rules;
    }

    private static String state(Path file) throws IOException {
        Instant now = Instant.now();
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        FileTime modified = attributes.lastModifiedTime();
        FileTime changed = changed(file, modified);
        boolean recent = isRecent(modified, now) || isRecent(changed, now);
        return recent ? "" : attributes.size() + " " + modified + " " + changed + " " + attributes.fileKey();
    }

    /** The time of the last change of content or attributes; {@code modified} if the system has none. */
    private static FileTime changed(Path file, FileTime modified) throws IOException {
        try {
            return Files.getAttribute(file, "unix:ctime") instanceof FileTime time ? time : modified;
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return modified;
        }
    }

    private static boolean isRecent(FileTime time, Instant now) {
        Instant instant = time.toInstant();
        Duration tick = instant.equals(instant.truncatedTo(ChronoUnit.SECONDS)) ? LONG_TICK : TICK;
        return instant.plus(tick).isAfter(now);
    }

    @Override
    public String toString() {
        return "FileVersion[" + file + "]";
    }
}
