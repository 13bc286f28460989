package dev.pollux.artifact;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.Json;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The temporary folder, a sibling of the target, in which a result is built.
 *
 * <p>Its journal has the digest of the plan in the first line, then a JSON object per finished tensor. A run of the same
 * plan resumes after a killed run; a run of another plan starts from the beginning. A lock excludes a second process.
 * <em>Confined to one thread.</em>
 */
public final class WorkFolder implements AutoCloseable {

    private static final String JOURNAL = ".merge-journal";

    /** The digest of work that is not resumed and needs no journal. */
    private static final String ONCE = "";

    private final Path folder;
    private final Path lockFile;
    private final FileChannel lockChannel;
    private final Map<String, Map<String, String>> finished = new LinkedHashMap<>();
    private @Nullable FileChannel journal;
    private boolean locked;

    private WorkFolder(Path folder, Path lockFile, FileChannel lockChannel) {
        this.folder = folder;
        this.lockFile = lockFile;
        this.lockChannel = lockChannel;
    }

    /**
     * Fills a work folder and publishes it. If an earlier process was killed, the folder contains its finished tensors. If
     * this run fails or is cancelled, the folder is deleted.
     *
     * @param fill writes the files; its result is returned
     */
    public static <R> R publish(Path target, String digest, JobContext context, Function<WorkFolder, R> fill) {
        try (WorkFolder work = open(target, digest)) {
            boolean published = false;
            try {
                R result = fill.apply(work);
                context.checkCancelled();
                work.publish(target);
                published = true;
                return result;
            } finally {
                if (!published) {
                    work.discard();
                }
            }
        }
    }

    /**
     * Fills a work folder and publishes it. What an earlier process left in it is deleted first.
     *
     * @param fill writes the files into the folder at the given path; its result is returned
     * @throws StorageException if {@code target} exists and is not empty, or another job is writing it
     */
    public static <R> R publish(Path target, JobContext context, Function<Path, R> fill) {
        return publish(target, ONCE, context, work -> fill.apply(work.path()));
    }

    /**
     * Writes a file and publishes it. A partial file of an earlier process is deleted first.
     *
     * @param write writes the file to the given path
     */
    public static void publishFile(Path target, JobContext context, Consumer<Path> write) {
        try (WorkFolder work = open(target, ONCE)) {
            try {
                Path file = work.path().resolve("file");
                write.accept(file);
                context.checkCancelled();
                Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw new StorageException("Cannot publish " + target + ": " + e, e);
            } finally {
                work.discard();
            }
        }
    }

    /** Opens the work folder of {@code target} for the plan with {@code digest}. */
    public static WorkFolder open(Path target, String digest) {
        Path whole = target.toAbsolutePath().normalize();
        Path folder = whole.resolveSibling("." + whole.getFileName() + ".part");
        Path lockFile = whole.resolveSibling("." + whole.getFileName() + ".lock");
        try {
            Files.createDirectories(whole.getParent());
            FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            WorkFolder work = new WorkFolder(folder, lockFile, channel);
            try {
                work.lock(target);
                work.begin(digest);
                return work;
            } catch (IOException | RuntimeException | Error e) {
                work.close();
                throw e;
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write into the folder of " + target + ": " + e, e);
        }
    }

    private void lock(Path target) throws IOException {
        try {
            FileLock lock = lockChannel.tryLock(); // held until the channel closes
            if (lock != null) {
                locked = true;
                return;
            }
        } catch (OverlappingFileLockException e) {
            throw new StorageException("Another job of this process is writing " + target + "; wait for it", e);
        }
        throw new StorageException("Another process is writing " + target + "; wait for it");
    }

    private void begin(String digest) throws IOException {
        if (digest.equals(ONCE)) {
            deleteTree(folder);
            Files.createDirectories(folder);
            return;
        }
        Path file = folder.resolve(JOURNAL);
        List<String> lines = List.of();
        if (Files.isRegularFile(file)) {
            lines = new ArrayList<>(List.of(Files.readString(file).split("\n")));
        }
        if (lines.isEmpty() || !lines.get(0).equals(digest)) {
            deleteTree(folder);
            Files.createDirectories(folder);
            lines = List.of();
        }
        for (String line : lines.isEmpty() ? lines : lines.subList(1, lines.size())) {
            finished(line);
        }
        journal = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        StringBuilder text = new StringBuilder(digest).append('\n');
        finished.forEach((name, facts) -> text.append(line(name, facts)));
        journal.truncate(0);
        append(text.toString());
    }

    /** An incomplete last line of a killed process is ignored. */
    private void finished(String line) {
        try {
            Object entry = Json.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), JOURNAL);
            if (entry instanceof Map<?, ?> map && map.get("tensor") instanceof String tensor) {
                Map<String, String> facts = new LinkedHashMap<>();
                if (map.get("facts") instanceof Map<?, ?> stored) {
                    stored.forEach((name, value) -> facts.put(name.toString(), value.toString()));
                }
                finished.put(tensor, facts);
            }
        } catch (MalformedFileException e) {
            return; // the last line of a process that was killed while it wrote it
        }
    }

    private static String line(String tensor, Map<String, String> facts) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("tensor", tensor);
        entry.put("facts", facts);
        return Json.text(entry) + "\n";
    }

    private void append(String text) throws IOException {
        FileChannel open = journal;
        if (open == null) {
            throw new IllegalStateException("the journal is closed");
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            open.write(bytes);
        }
        open.force(false);
    }

    /** The path of the temporary folder. */
    public Path path() {
        return folder;
    }

    /** The tensors that an earlier run finished, with their facts. */
    public Map<String, Map<String, String>> finished() {
        return finished;
    }

    /** Records tensors whose bytes have been synced to disk. */
    public void finish(Map<String, Map<String, String>> tensors) {
        StringBuilder text = new StringBuilder();
        tensors.forEach((name, facts) -> text.append(line(name, facts)));
        try {
            append(text.toString());
        } catch (IOException e) {
            throw new StorageException("Cannot write the journal in " + folder + ": " + e, e);
        }
    }

    /** Discards the record of finished tensors, because their files are missing. */
    public void forget() {
        finished.clear();
    }

    /** Deletes all files but the journal and those with one of {@code names}. */
    public void clear(Collection<String> names) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (!name.equals(JOURNAL) && !names.contains(name)) {
                    if (Files.isDirectory(file)) {
                        deleteTree(file);
                    } else {
                        Files.delete(file);
                    }
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot clear " + folder + ": " + e, e);
        }
    }

    private void publish(Path target) {
        try {
            closeJournal();
            Files.deleteIfExists(folder.resolve(JOURNAL));
            Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new StorageException("Cannot publish " + target + ": " + e, e);
        }
    }

    /** Deletes the folder. */
    public void discard() {
        try {
            closeJournal();
            deleteTree(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }

    private void closeJournal() throws IOException {
        if (journal != null) {
            journal.close();
            journal = null;
        }
    }

    @Override
    public void close() {
        try {
            closeJournal();
            if (locked) {
                Files.deleteIfExists(lockFile);
            }
            lockChannel.close();
        } catch (IOException e) {
            throw new StorageException("Cannot close " + folder + ": " + e, e);
        }
    }

    /** Deletes {@code folder} with its content; does nothing if it is absent. */
    public static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /**
     * Checks that the file system has room for a new folder or file.
     *
     * @param target its path, which need not exist
     * @param bytes what it will need
     * @throws StorageException if less is free, or that cannot be read
     */
    public static void checkSpace(Path target, long bytes) {
        Path existing = target.toAbsolutePath().normalize();
        for (Path up = existing.getParent(); up != null && !Files.exists(existing); up = existing.getParent()) {
            existing = up;
        }
        try {
            long free = Files.getFileStore(existing).getUsableSpace();
            if (free < bytes) {
                throw new StorageException(target + " needs " + bytes + " bytes but only " + free + " are free at "
                        + existing + "; free some space or choose another folder");
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read the free space at " + existing + ": " + e, e);
        }
    }
}
