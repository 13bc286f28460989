package dev.pollux.merge;

import dev.pollux.CancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** The sources of one task, read window by window, or kept decoded where there is room for that. */
final class StreamedWindows implements TensorWindows {

    private final TensorTask task;
    private final long seed;
    private final Arena arena;
    private final BooleanSupplier cancelled;
    private final Optional<SourceMeter> meter;
    private boolean metered;
    private final List<TensorSource> sources = new ArrayList<>();
    private final boolean kept;
    private final float[][] values; // (sources, window or whole tensor); empty until needed

    /**
     * @param room bytes of decoded tensors that may be kept
     * @param arena for what is read
     * @param meter sees the first pass over all sources
     */
    StreamedWindows(
            TensorTask task,
            long seed,
            long room,
            Arena arena,
            BooleanSupplier cancelled,
            Optional<SourceMeter> meter) {
        this.meter = meter;
        this.task = task;
        this.seed = seed;
        this.arena = arena;
        this.cancelled = cancelled;
        task.sources().forEach(source -> sources.add(source.ready()));
        long elements = task.elements();
        this.kept = !task.readsOnce() && elements < Integer.MAX_VALUE - 8 && 4 * elements * sources.size() <= room;
        this.values = new float[sources.size()][0];
    }

    @Override
    public int sources() {
        return sources.size();
    }

    @Override
    public long elements() {
        return task.elements();
    }

    @Override
    public int rowLength() {
        return WindowBudget.rowLength(task.shape());
    }

    @Override
    public int height() {
        return task.shape().size() < 2 ? 1 : task.shape().get(0).intValue();
    }

    @Override
    public long randomKey(int source) {
        return CounterRandom.key(seed, task.models().get(source), task.name());
    }

    @Override
    public void pass(Consumer consumer, int... only) {
        int[] wanted = only.length > 0 ? only : all();
        int window = WindowBudget.windowElements(task.shape());
        boolean meters = meter.isPresent() && !metered && only.length == 0;
        metered |= meters;
        if (kept) {
            for (int i : wanted) {
                keep(i, window);
            }
        }
        for (long first = 0; first < elements(); first += window) {
            checkCancelled();
            int count = (int) Math.min(window, elements() - first);
            if (!kept) {
                for (int i : wanted) {
                    values[i] = values[i].length >= count ? values[i] : arena.take(i, count);
                    sources.get(i).read(first, count, values[i], 0);
                }
            }
            int at = kept ? (int) first : 0;
            if (meters) {
                meter.get().take(values, at, first, count);
            }
            consumer.accept(values, at, first, count);
        }
    }

    private void keep(int i, int window) {
        if (values[i].length > 0) {
            return;
        }
        int elements = (int) elements();
        values[i] = arena.take(i, elements);
        for (int first = 0; first < elements; first += window) {
            checkCancelled();
            sources.get(i).read(first, Math.min(window, elements - first), values[i], first);
        }
    }

    private void checkCancelled() {
        if (cancelled.getAsBoolean()) {
            throw new CancelledException("The merge was cancelled");
        }
    }

    private int[] all() {
        int[] all = new int[sources.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = i;
        }
        return all;
    }
}
