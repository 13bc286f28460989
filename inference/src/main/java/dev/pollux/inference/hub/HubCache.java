package dev.pollux.inference.hub;

import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One repository in a cache with the layout that {@code huggingface_hub} and other tools share:
 *
 * <pre>
 * models--owner--name/refs/REVISION             the commit, as text
 * models--owner--name/blobs/HASH                the contents, once each
 * models--owner--name/blobs/HASH.incomplete     the beginning of one, to be continued
 * models--owner--name/snapshots/COMMIT/PATH     a link to ../../blobs/HASH, or a copy without support for links
 * .locks/models--owner--name/HASH.lock          held while a blob is written
 * </pre>
 *
 * <em>Thread-safe.</em>
 */
final class HubCache {

    private static final Duration LOCK_POLL = Duration.ofMillis(100);
    private static final int MAX_LISTED = 200_000;
    private static final int MAX_DEPTH = 32;

    /** The locks of this process; those of the file system work only between processes. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path root;
    private final String name;
    private final FileSystemAndClock surroundings;

    HubCache(HubSettings settings, String repository) {
        this.root = settings.cache().toAbsolutePath().normalize();
        this.name = "models--" + repository.replace("/", "--");
        this.surroundings = settings.surroundings();
    }

    Path folder() {
        return root.resolve(name);
    }

    Path snapshot(String commit) {
        return folder().resolve("snapshots").resolve(commit);
    }

    Path blob(String hash) {
        return folder().resolve("blobs").resolve(hash);
    }

    Path incomplete(String hash) {
        return folder().resolve("blobs").resolve(hash + ".incomplete");
    }

    /** The commit that a revision referred to at the last download; a commit, even abbreviated, refers to itself. */
    Optional<String> commit(String revision) throws IOException {
        Path ref = folder().resolve("refs").resolve(revision).normalize();
        if (ref.startsWith(folder().resolve("refs")) && Files.isRegularFile(ref) && Files.size(ref) <= 256) {
            String commit = Files.readString(ref, StandardCharsets.UTF_8).strip();
            return HubApi.COMMIT.matcher(commit).matches() ? Optional.of(commit) : Optional.empty();
        }
        Path snapshots = folder().resolve("snapshots");
        if (!revision.matches("[0-9a-f]{7,64}") || !Files.isDirectory(snapshots)) {
            return Optional.empty();
        }
        try (Stream<Path> commits = Files.list(snapshots)) {
            List<String> found = commits.map(path -> path.getFileName().toString())
                    .filter(commit -> commit.startsWith(revision))
                    .toList();
            return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
        }
    }

    /** The paths of the files in a snapshot whose contents are present. */
    List<String> files(String commit) throws IOException {
        Path snapshot = snapshot(commit);
        if (!Files.isDirectory(snapshot)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(snapshot, MAX_DEPTH)) {
            return paths.filter(Files::isRegularFile)
                    .limit(MAX_LISTED)
                    .map(path -> snapshot.relativize(path).toString().replace('\\', '/'))
                    .toList();
        }
    }

    /** The number of bytes of a file on disk: its size if it is complete, otherwise those that an earlier attempt left. */
    long present(Path place, RemoteFile file) throws IOException {
        if (hasSize(place, file.bytes()) || hasSize(blob(file.hash()), file.bytes())) {
            return file.bytes();
        }
        Path incomplete = incomplete(file.hash());
        // a complete file that was not moved yet has not been verified, so it counts as incomplete
        return Files.isRegularFile(incomplete) ? Math.min(Files.size(incomplete), Math.max(0, file.bytes() - 1)) : 0;
    }

    static boolean hasSize(Path file, long bytes) throws IOException {
        return Files.isRegularFile(file) && Files.size(file) == bytes;
    }

    /** Moves a complete and verified blob into place. */
    void publish(RemoteFile file) throws IOException {
        move(incomplete(file.hash()), blob(file.hash()));
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /**
     * Creates the file of a snapshot: a link, or a hard link or a copy if the system does not support links. Others may create
     * or read the same file at the same time, so it is created under another name and moved into place.
     */
    void place(Path place, RemoteFile file) throws IOException {
        if (hasSize(place, file.bytes())) {
            return;
        }
        Path parent = place.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IOException(place + " has no folder");
        }
        Files.createDirectories(parent);
        Path blob = blob(file.hash());
        Path fresh = blob.resolveSibling(UUID.randomUUID() + ".tmp"); // not in the snapshot, which lists all its files
        try {
            fill(fresh, parent.relativize(blob), blob);
            move(fresh, place);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private void fill(Path fresh, Path target, Path blob) throws IOException {
        try {
            surroundings.link(fresh, target);
        } catch (UnsupportedOperationException | IOException noLinks) {
            try {
                surroundings.hardLink(fresh, blob);
            } catch (UnsupportedOperationException | IOException noHardLinks) {
                Files.copy(blob, fresh);
            }
        }
    }

    /** Records the commit of a revision; a commit needs no record. */
    void refer(String revision, String commit) throws IOException {
        if (revision.equals(commit) || commit(revision).filter(commit::equals).isPresent()) {
            return;
        }
        Path ref = folder().resolve("refs").resolve(revision);
        Files.createDirectories(ref.getParent());
        Path fresh = ref.resolveSibling("." + UUID.randomUUID() + ".tmp");
        try {
            Files.writeString(fresh, commit, StandardCharsets.UTF_8);
            move(fresh, ref);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /** An acquired lock. */
    interface Held extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    /** Waits until no other thread or process writes the blob. */
    Held lock(RemoteFile file, JobContext context) throws IOException {
        Path path = root.resolve(".locks").resolve(name).resolve(file.hash() + ".lock");
        Files.createDirectories(path.getParent());
        boolean told = false;
        while (true) {
            context.checkCancelled();
            Held held = tryLock(path);
            if (held != null) {
                return held;
            }
            if (!told) {
                context.notice("waiting for another download of " + file.path());
                told = true;
            }
            try {
                surroundings.sleep(LOCK_POLL);
            } catch (InterruptedException e) {
                throw HubTransport.interrupted(e);
            }
        }
    }

    private static @Nullable Held tryLock(Path path) throws IOException {
        if (!HELD.add(path)) {
            return null;
        }
        boolean locked = false;
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            locked = channel.tryLock() != null;
            return locked ? new FileHeld(path, channel) : null;
        } catch (OverlappingFileLockException e) {
            return null; // locked by this process, through another class loader
        } finally {
            if (!locked) {
                HELD.remove(path);
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    /** A lock in the file system and in this process. */
    private record FileHeld(Path path, FileChannel channel) implements Held {
        @Override
        public void close() throws IOException {
            try {
                channel.close();
            } finally {
                HELD.remove(path);
            }
        }
    }
}
