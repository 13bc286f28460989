package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.artifact.Workers;
import dev.pollux.finetune.internal.model.InputHashes;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.internal.math.Arena;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.EncodingSink;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes the weights of a layout to a work folder, tensor by tensor, on several threads.
 *
 * <p>The calling thread starts and stops the workers, reports progress, and records finished tensors in the journal. <em>For
 * one run.</em>
 */
final class MergeRun {
    /*
     * Each worker first hashes input files while there are unhashed ones, then takes tensors from a queue. A tensor has a
     * fixed file and offset (Shards), so workers write without coordination and the bytes do not depend on their number.
     *
     * Crash safety: the journal lists a tensor only after the files are forced to disk. A restarted run skips the listed
     * tensors. If a file is missing or has another size, the journal is discarded and all tensors are merged again.
     */

    private static final long JOURNAL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final MergeLayout layout;
    private final MergeOptions options;
    private final JobContext context;
    private final WorkFolder work;
    private final InputHashes inputs;
    private final Shards shards;
    private final WindowBudget budget;
    private final Queue<TensorTask> queue = new ConcurrentLinkedQueue<>();
    private final Queue<Map.Entry<String, Map<String, String>>> done = new ConcurrentLinkedQueue<>();
    private final Map<String, Map<String, String>> facts = new TreeMap<>();
    private final List<FileChannel> channels = new ArrayList<>();
    private final AtomicLong written = new AtomicLong();
    private long journaled = System.nanoTime();

    /** @param inputs the input files; those not yet hashed are hashed during the run */
    MergeRun(MergeLayout layout, MergeOptions options, JobContext context, WorkFolder work, InputHashes inputs) {
        this.layout = layout;
        this.options = options;
        this.context = context;
        this.work = work;
        this.inputs = inputs;
        this.shards = Shards.of(layout.tasks(), options.shardBytes());
        this.budget = WindowBudget.of(layout.tasks(), options);
    }

    /** Writes all weights and returns the facts of each tensor by name. */
    Map<String, Map<String, String>> run() {
        try {
            openFiles();
            for (TensorTask task : layout.tasks()) {
                Map<String, String> earlier = work.finished().get(task.name());
                if (earlier == null) {
                    queue.add(task);
                } else {
                    facts.put(task.name(), earlier);
                    written.addAndGet(task.bytes());
                }
            }
            mergeAll();
            if (shards.files().size() > 1) {
                JsonFile.write(work.path().resolve("model.safetensors.index.json"), shards.index());
            }
            return facts;
        } catch (IOException e) {
            throw new StorageException("Cannot write merged weights: " + e + "; is the disk full?", e);
        } finally {
            closeFiles();
        }
    }

    private void openFiles() throws IOException {
        boolean all = true;
        for (Shards.Shard shard : shards.files()) {
            Path file = work.path().resolve(shard.file());
            all &= Files.isRegularFile(file) && Files.size(file) == shard.size();
        }
        if (!all) {
            work.forget();
        }
        for (Shards.Shard shard : shards.files()) {
            Path file = work.path().resolve(shard.file());
            if (!all) {
                try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
                    sized.setLength(shard.size());
                    sized.write(shard.header());
                }
            }
            channels.add(FileChannel.open(file, StandardOpenOption.WRITE));
        }
    }

    private void mergeAll() {
        try (Workers workers = Workers.start("merge", budget.threads(), context)) {
            List<Future<?>> futures = new ArrayList<>();
            for (int i = 0; i < budget.threads(); i++) {
                futures.add(workers.submit(() -> mergeQueued(workers)));
            }
            for (Future<?> future : futures) {
                workers.await(future, this::report);
            }
            context.checkCancelled();
            context.progress("merge", written.get(), layout.bytesToWrite(), "bytes");
            journal();
        }
    }

    private boolean mergeQueued(Workers workers) {
        while (!workers.isStopped() && inputs.hashNext(workers::isStopped)) {}
        ByteBuffer buffer = EncodingSink.buffer();
        Arena arena = new Arena(budget.kept() + budget.windows());
        for (TensorTask task = queue.poll(); task != null && !workers.isStopped(); task = queue.poll()) {
            Shards.Place place = shards.place(task.name());
            EncodingSink sink =
                    EncodingSink.of(task.type(), channels.get(place.shard()), place.offset(), written, buffer);
            Optional<SourceMeter> meter = SourceMeter.of(task, options.statistics());
            StreamedWindows windows =
                    new StreamedWindows(task, options.seed(), budget.kept(), arena, workers::isStopped, meter);
            task.method().merge(windows, sink);
            sink.flush();
            if (sink.notFinite().isAny() || !windows.isFinite()) {
                sink.notFinite().addTo(sink, task.models(), task.sources(), workers::isStopped);
            }
            meter.ifPresent(statistics -> sink.fact(SourceMeter.FACT, statistics.text()));
            done.add(Map.entry(task.name(), sink.facts()));
        }
        return true;
    }

    private void report() {
        if (inputs.read() < inputs.bytes()) {
            context.progress("hash", inputs.read(), inputs.bytes(), "bytes");
        } else {
            context.progress("merge", written.get(), layout.bytesToWrite(), "bytes");
        }
        if (System.nanoTime() - journaled > JOURNAL_NANOS) {
            journal();
            journaled = System.nanoTime();
        }
    }

    /** Forces the files before the journal: a tensor is finished only when its bytes are on disk. */
    private void journal() {
        Map<String, Map<String, String>> finished = new LinkedHashMap<>();
        for (var entry = done.poll(); entry != null; entry = done.poll()) {
            finished.put(entry.getKey(), entry.getValue());
        }
        if (finished.isEmpty()) {
            return;
        }
        try {
            for (FileChannel channel : channels) {
                channel.force(false);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write merged weights: " + e + "; is the disk full?", e);
        }
        work.finish(finished);
        facts.putAll(finished);
    }

    private void closeFiles() {
        for (FileChannel channel : channels) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new StorageException("Cannot close merged weights: " + e, e);
            }
        }
        channels.clear();
    }
}
