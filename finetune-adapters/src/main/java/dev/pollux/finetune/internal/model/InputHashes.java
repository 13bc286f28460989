package dev.pollux.finetune.internal.model;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.internal.Sha256;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeReport.InputFile;
import dev.pollux.merging.ModelReference;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The input files of a plan and their SHA-256 hashes. <em>Thread-safe</em>: each merging thread hashes files, one at a time,
 * before it merges tensors.
 */
public final class InputHashes {

    /** Half of a typical second-level cache. */
    private static final int STEP = 1 << 16;

    private final List<Input> inputs;
    private final long bytes;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong read = new AtomicLong();
    private final Map<Integer, InputFile> hashed = new ConcurrentSkipListMap<>();

    private record Input(String name, Path path, long bytes) {}

    private InputHashes(List<Input> inputs) {
        this.inputs = List.copyOf(inputs);
        this.bytes = inputs.stream().mapToLong(Input::bytes).sum();
    }

    /** Returns hashes of no files. */
    public static InputHashes none() {
        return new InputHashes(List.of());
    }

    /**
     * Returns the files of all models and adapters of a plan and its stages, in the order of their paths. No file is read yet.
     */
    public static InputHashes of(MergePlan plan, Path folder) {
        Map<String, Path> paths = new TreeMap<>();
        List<String> stages =
                plan.stages().stream().flatMap(stage -> stage.name().stream()).toList();
        Stream.concat(plan.stages().stream(), Stream.of(plan))
                .flatMap(MergePlan::models)
                .forEach(reference -> {
                    if (!stages.contains(reference.toString())) {
                        add(reference, folder, paths);
                    }
                });
        return of(paths);
    }

    /** Returns the files of models and adapters, in the order of their names. */
    public static InputHashes of(Stream<ModelReference> models, Path folder) {
        Map<String, Path> paths = new TreeMap<>();
        models.forEach(reference -> add(reference, folder, paths));
        return of(paths);
    }

    /** Returns the files of one model or adapter. */
    public static InputHashes of(String name, Path path) {
        return of(Map.of(name, path));
    }

    private static void add(ModelReference reference, Path folder, Map<String, Path> into) {
        into.put(reference.model(), folder.resolve(reference.model()));
        reference.adapter().ifPresent(adapter -> into.put(adapter, folder.resolve(adapter)));
    }

    private static InputHashes of(Map<String, Path> paths) {
        List<Input> inputs = new ArrayList<>();
        paths.forEach((name, path) -> add(name, path, inputs));
        return new InputHashes(inputs);
    }

    private static void add(String name, Path path, List<Input> into) {
        try {
            if (Files.isRegularFile(path)) {
                into.add(new Input(name, path, Files.size(path)));
                return;
            }
            try (Stream<Path> entries = Files.list(path)) {
                for (Path file : entries.filter(Files::isRegularFile).sorted().toList()) {
                    String last = file.getFileName().toString();
                    if (!last.startsWith(".") && !last.equals(ArtifactManifest.FILE)) { // which scores may be added to
                        into.add(new Input(name + "/" + file.getFileName(), file, Files.size(file)));
                    }
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + path + ": " + e, e);
        }
    }

    /** Bytes of all files. */
    public long bytes() {
        return bytes;
    }

    /** Bytes read so far. */
    public long read() {
        return read.get();
    }

    /**
     * Hashes the next file that no thread has taken.
     *
     * @param stopped polled often; if it returns true, hashing stops
     * @return whether there was such a file
     */
    public boolean hashNext(BooleanSupplier stopped) {
        int number = next.getAndIncrement();
        if (number >= inputs.size()) {
            return false;
        }
        Input input = inputs.get(number);
        MessageDigest digest = Sha256.digest();
        byte[] some = new byte[STEP];
        long length = 0;
        try (InputStream in = Files.newInputStream(input.path())) {
            for (int n = in.read(some); n >= 0; n = in.read(some)) {
                if (stopped.getAsBoolean()) {
                    return true;
                }
                digest.update(some, 0, n);
                length += n;
                read.addAndGet(n);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + input.path() + ": " + e, e);
        }
        hashed.put(number, new InputFile(input.name(), length, Sha256.hex(digest)));
        return true;
    }

    /** Hashes the remaining files on this thread. */
    public List<InputFile> all(JobContext context) {
        long[] due = {read()};
        BooleanSupplier stopped = () -> {
            if (read() >= due[0]) {
                context.progress("hash", read(), bytes, "bytes");
                due[0] = read() + bytes / 100;
            }
            return context.isCancelled();
        };
        while (hashNext(stopped)) {
            context.checkCancelled();
        }
        return files();
    }

    /** All files with their hashes, as inputs of an artifact. */
    public List<ArtifactManifest.Input> inputs() {
        return files().stream()
                .map(file -> new ArtifactManifest.Input(file.path(), file.bytes(), file.sha256()))
                .toList();
    }

    /** All files with their hashes; call it after the last file has been hashed. */
    public List<InputFile> files() {
        if (hashed.size() != inputs.size()) {
            throw new IllegalStateException(hashed.size() + " of " + inputs.size() + " inputs are hashed");
        }
        return List.copyOf(hashed.values());
    }
}
