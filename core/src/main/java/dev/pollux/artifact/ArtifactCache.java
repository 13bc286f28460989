package dev.pollux.artifact;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.Sha256;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * A cache of folders that are derived from source files. The key is the content of the source files. {@link
 * WorkFolder} publishes a folder when it is complete. <em>Thread-safe.</em>
 */
public final class ArtifactCache {

    private static final String PART = ".part";
    /** A file changed this recently may change again within the resolution of the clock. */
    private static final long UNSETTLED_MILLIS = 2000;
    /** Half of a SHA-256 hash, to keep paths short. */
    private static final int KEY_DIGITS = 32;

    private static final ReentrantLock MAKING = new ReentrantLock();

    private final Path root;
    private final String mark;

    private ArtifactCache(Path root, String mark) {
        this.root = root;
        this.mark = mark;
    }

    /**
     * A cache in {@code root}, which need not exist.
     *
     * @param mark a file that every complete folder contains; a folder without it is damaged and is created again
     */
    public static ArtifactCache in(Path root, String mark) {
        return new ArtifactCache(root, mark);
    }

    /**
     * Returns the folder derived from {@code sources} and creates it if absent. Two processes that need the same folder wait
     * for each other.
     *
     * @param variant further properties that the folder depends on; letters, digits and hyphens
     * @param maker fills the folder at the given path, which is empty
     */
    public Path folder(List<Path> sources, String variant, Function<Path, ?> maker, JobContext context) {
        String key = contentHash(sources, context).substring(0, KEY_DIGITS) + "-" + variant;
        Path target = root.resolve(key);
        if (isComplete(target)) {
            return target;
        }
        Interrupts.lock(MAKING); // A file lock blocks other processes but fails for a second thread of this process.
        try (FileChannel channel = FileChannel.open(
                        root.resolve(key + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            if (!isComplete(target) && lock.isValid()) {
                deleteTree(target);
                WorkFolder.publish(target, context, maker);
            }
            return target;
        } catch (IOException e) {
            throw Interrupts.isCauseOf(e)
                    ? Interrupts.cancelled(e)
                    : new StorageException("Cannot lock " + root + ": " + e, e);
        } finally {
            MAKING.unlock();
        }
    }

    private boolean isComplete(Path folder) {
        return Files.isRegularFile(folder.resolve(mark));
    }

    private static void deleteTree(Path folder) {
        try {
            WorkFolder.deleteTree(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }

    /**
     * A hash of the files' names and bytes, in hexadecimal: SHA-256 of each name and the SHA-256 of its bytes. Hashing
     * gigabytes takes longer than loading them, so hashes are cached under path, size, modification time and, where the file
     * system has one, the number of the file.
     */
    public String contentHash(List<Path> files, JobContext context) {
        return remembered(files, context).all();
    }

    /** The SHA-256 of each file by its name, cached likewise. */
    public List<Input> inputs(List<Path> files, JobContext context) {
        try {
            return remembered(files, context).inputs(files);
        } catch (IOException e) {
            throw new StorageException("Cannot hash " + files + ": " + e, e);
        }
    }

    /** The SHA-256 of each file by its name. */
    public static List<Input> hashed(List<Path> files, JobContext context) {
        try {
            return hash(files, context).inputs(files);
        } catch (IOException e) {
            throw new StorageException("Cannot hash " + files + ": " + e, e);
        }
    }

    private Hashes remembered(List<Path> files, JobContext context) {
        try {
            Path hashes = Files.createDirectories(root.resolve("hashes"));
            Path memo = hashes.resolve(Sha256.of(describe(files)));
            if (Files.isRegularFile(memo) && settled(files)) {
                Optional<Hashes> known = Hashes.parse(Files.readString(memo), files.size());
                if (known.isPresent()) {
                    return known.get();
                }
            }
            boolean settled = settled(files); // asked before: a later change then has another time
            Hashes hash = hash(files, context);
            if (!settled) {
                return hash;
            }
            Path part = Files.createTempFile(hashes, "hash", PART);
            Files.writeString(part, hash.text());
            Files.move(part, memo, StandardCopyOption.ATOMIC_MOVE); // replaces: a reader never finds it absent
            return hash;
        } catch (IOException e) {
            throw new StorageException("Cannot hash " + files + ": " + e, e);
        }
    }

    /** The hash of the files' names and bytes, and those of the bytes of each. */
    private record Hashes(String all, List<String> each) {

        String text() {
            return all + "\n" + String.join("\n", each) + "\n";
        }

        static Optional<Hashes> parse(String text, int files) {
            List<String> lines = text.lines().toList();
            return lines.size() == files + 1 && lines.stream().allMatch(line -> line.matches("[0-9a-f]{64}"))
                    ? Optional.of(new Hashes(lines.get(0), lines.subList(1, lines.size())))
                    : Optional.empty();
        }

        List<Input> inputs(List<Path> files) throws IOException {
            List<Input> inputs = new ArrayList<>();
            for (Path file : files) {
                inputs.add(new Input(String.valueOf(file.getFileName()), Files.size(file), each.get(inputs.size())));
            }
            return inputs;
        }
    }

    private static boolean settled(List<Path> files) throws IOException {
        for (Path file : files) {
            if (System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() < UNSETTLED_MILLIS) {
                return false;
            }
        }
        return true;
    }

    private static String describe(List<Path> files) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path file : files) {
            text.append(file.toRealPath()).append('\n');
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            text.append(attributes.size()).append('\n');
            text.append(attributes.lastModifiedTime()).append('\n');
            text.append(attributes.fileKey()).append('\n'); // device and inode; null on Windows
        }
        return text.toString();
    }

    private static Hashes hash(List<Path> files, JobContext context) throws IOException {
        long total = 0;
        for (Path file : files) {
            total += Files.size(file);
        }
        MessageDigest all = Sha256.digest();
        byte[] buffer = new byte[1 << 20];
        long done = 0;
        List<String> each = new ArrayList<>();
        for (Path file : files) {
            MessageDigest own = Sha256.digest();
            try (InputStream in = Files.newInputStream(file)) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    context.checkCancelled();
                    own.update(buffer, 0, n);
                    done += n;
                    context.progress("hash", done, total, "bytes");
                }
            }
            String hash = Sha256.hex(own);
            all.update((file.getFileName() + "\n" + hash + "\n").getBytes(StandardCharsets.UTF_8));
            each.add(hash);
        }
        return new Hashes(Sha256.hex(all), each);
    }
}
