package dev.pollux.inference.quantize;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.int8.CodeJournal;
import dev.pollux.quantization.QuantizationMethod;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a killed run of the same quantization finished, and the record of what this run finishes. <em>Confined to one
 * thread.</em>
 */
final class Resumption implements CodeJournal, AutoCloseable {

    /*
     * Codes, scales and zero points of a matrix are written one after the other, so a matrix is finished when the next one begins. Then
     * the file of weights is synced and the matrix is recorded in the journal of the work folder, at most once for each step of
     * bytes. A later run renames the file, writes it anew, and copies what is recorded from the old one: every offset is the same,
     * because the journal belongs to one plan. Recorded matrices are the first ones in the file; when the first other one begins, all
     * have been copied, and the old file is deleted. So whenever a run is killed, the recorded matrices are in the old file if there is
     * one, and otherwise in the file itself.
     */

    private static final String OLD = ".resumed-weights";
    private static final String ERROR = "relativeError";
    private static final String METHOD = "method";
    private static final int PIECE = 1 << 20;

    private final WorkFolder work;
    private final Path data;
    private final Path old;
    private final long step;
    private final Map<String, Map<String, String>> written = new LinkedHashMap<>(); // not yet recorded
    private Map<String, Long> offsets = Map.of();
    private @Nullable FileChannel source;
    private long since;

    private Resumption(WorkFolder work, Path data, long step) {
        this.work = work;
        this.data = data;
        this.old = work.path().resolve(OLD);
        this.step = step;
    }

    /**
     * Prepares a work folder: keeps what is recorded, and deletes everything else.
     *
     * @param model the ONNX file that will be written into the work folder
     * @param step bytes between two records
     */
    static Resumption of(WorkFolder work, Path model, long step) {
        Resumption made = new Resumption(work, GraphWriter.dataFile(model), step);
        try {
            made.prepare();
            return made;
        } catch (IOException e) {
            throw new StorageException("Cannot take up the work in " + work.path() + ": " + e, e);
        }
    }

    private void prepare() throws IOException {
        if (!Files.exists(old) && Files.exists(data) && !work.finished().isEmpty()) {
            Files.move(data, old);
        }
        if (!Files.exists(old)) {
            work.forget();
        }
        work.clear(List.of(OLD));
        if (Files.exists(old)) {
            source = FileChannel.open(old, StandardOpenOption.READ);
        }
    }

    /** Tells where weights are in the file. */
    void layout(Graph written) {
        offsets = GraphWriter.offsets(written);
    }

    /** The number of matrices that need not be computed. */
    int count() {
        return work.finished().size();
    }

    @Override
    public boolean isFinished(String matrix) {
        return work.finished().containsKey(matrix);
    }

    @Override
    public double relativeError(String matrix) {
        Map<String, String> facts = work.finished().getOrDefault(matrix, Map.of());
        return Double.parseDouble(facts.getOrDefault(ERROR, "0"));
    }

    /** The method that chose the codes of a finished matrix. */
    QuantizationMethod method(MatrixPlan plan) {
        Map<String, String> facts = work.finished().getOrDefault(plan.weight().name(), Map.of());
        return QuantizationMethod.of(facts.getOrDefault(METHOD, "")).orElse(plan.method());
    }

    @Override
    public void begin(String matrix) {
        if (isFinished(matrix)) {
            return;
        }
        try {
            if (source != null) {
                sync();
                close();
                Files.delete(old);
            }
            if (since >= step && !written.isEmpty()) {
                sync();
                work.finish(written);
                written.clear();
                since = 0;
            }
        } catch (IOException e) {
            throw new StorageException("Cannot record the work in " + work.path() + ": " + e, e);
        }
    }

    @Override
    public void computed(String matrix, long bytes, double relativeError) {
        computed(matrix, bytes, Map.of(ERROR, Double.toString(relativeError)));
    }

    /** Called when a matrix has been computed and its weights are being written. */
    void computed(MatrixPlan plan, QuantizationMethod method, double relativeError) {
        computed(
                plan.weight().name(),
                plan.bytesAfter(),
                Map.of(ERROR, Double.toString(relativeError), METHOD, method.text()));
    }

    private void computed(String matrix, long bytes, Map<String, String> facts) {
        written.put(matrix, facts);
        since += bytes;
    }

    private void sync() throws IOException {
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.WRITE)) {
            channel.force(true); // of the file, whoever wrote it
        }
    }

    @Override
    public boolean copy(Weight weight, Consumer<ByteBuffer> sink) {
        FileChannel channel = source;
        Long offset = offsets.get(weight.name());
        if (channel == null || offset == null) {
            return false;
        }
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        long end = offset + weight.bytes();
        try {
            for (long at = offset; at < end; ) {
                piece.clear().limit((int) Math.min(PIECE, end - at));
                int read = channel.read(piece, at);
                if (read < 0) {
                    throw new StorageException(old + " is shorter than the matrices that were recorded; delete "
                            + work.path() + " and begin anew");
                }
                at += read;
                sink.accept(piece.flip());
            }
            return true;
        } catch (IOException e) {
            throw new StorageException("Cannot read " + old + ": " + e, e);
        }
    }

    @Override
    public void close() {
        try {
            if (source != null) {
                source.close();
                source = null;
            }
        } catch (IOException e) {
            throw new StorageException("Cannot close " + old + ": " + e, e);
        }
    }
}
