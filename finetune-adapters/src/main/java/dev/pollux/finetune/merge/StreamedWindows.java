package dev.pollux.finetune.merge;

import dev.pollux.CancelledException;
import dev.pollux.internal.math.Arena;
import dev.pollux.internal.math.CounterRandom;
import dev.pollux.tensor.NotFinite;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** The sources of one task. They are read window by window, or cached decoded if they fit. */
final class StreamedWindows implements TensorWindows {
    /*
     * Two modes, fixed per task. A method with several passes whose decoded sources fit the room gets them cached: each
     * source is decoded once, on first use. Otherwise each pass decodes each window again. Both modes deliver the same
     * windows, so results do not depend on the memory.
     *
     * Finite check: values that a method drops do not reach the result, so they are checked here. looked[i] is the number of
     * leading elements of source i already checked; later passes over them skip the check.
     */

    private final TensorTask task;
    private final long seed;
    private final Arena arena;
    private final BooleanSupplier cancelled;
    private final Optional<SourceMeter> meter;
    private boolean metered;
    private final List<TensorSource> sources = new ArrayList<>();
    private final long elements;
    private final boolean kept;
    private final float[][] values; // (sources, window); empty until needed
    private final float[][] whole; // (sources, elements), where they are kept; empty until needed
    private final boolean looks;
    private final long[] looked; // (sources), number of leading elements already checked
    private boolean notFinite;

    /**
     * @param room bytes available for decoded tensors
     * @param arena the memory for values
     * @param meter receives the first pass over all sources
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
        this.elements = task.elements();
        this.kept = !task.readsOnce() && elements < Integer.MAX_VALUE - 8 && 4 * elements * sources.size() <= room;
        this.values = new float[sources.size()][0];
        this.whole = new float[sources.size()][0];
        this.looks = !task.method().takesEveryValue();
        this.looked = new long[sources.size()];
    }

    /** Whether all values read are finite, including those that the method drops. Not checked for methods that drop nothing. */
    boolean isFinite() {
        return !notFinite;
    }

    @Override
    public int sources() {
        return sources.size();
    }

    @Override
    public long elements() {
        return elements;
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
        boolean meters = meter.isPresent() && !metered && only.length == 0;
        metered |= meters;
        Consumer metering = (x, first, count) -> {
            meter.orElseThrow().take(x, first, count);
            consumer.accept(x, first, count);
        };
        read(1, meters ? metering : consumer, wanted);
    }

    @Override
    public void sample(int stride, Consumer consumer, int... only) {
        read(stride, consumer, only.length > 0 ? only : all());
    }

    private void read(int stride, Consumer consumer, int[] wanted) {
        int window = WindowBudget.windowElements(task.shape());
        if (kept) {
            for (int i : wanted) {
                keep(i, window);
            }
        }
        for (long first = 0; first < elements; first += (long) stride * window) {
            checkCancelled();
            int count = (int) Math.min(window, elements - first);
            for (int i : wanted) {
                read(i, first, count);
            }
            consumer.accept(values, first, count);
        }
    }

    private void read(int i, long first, int count) {
        values[i] = values[i].length >= count ? values[i] : arena.take(i, count);
        if (kept) {
            System.arraycopy(whole[i], (int) first, values[i], 0, count);
        } else {
            decode(i, first, count, values[i], 0);
        }
    }

    /** Decodes a window and checks each element once, while the values are in the processor's cache. */
    private void decode(int i, long first, int count, float[] into, int at) {
        sources.get(i).read(first, count, into, at);
        if (looks && first >= looked[i]) {
            looked[i] = first == looked[i] ? first + count : looked[i];
            notFinite |= NotFinite.isIn(into, at, count);
        }
    }

    private void keep(int i, int window) {
        if (whole[i].length > 0) {
            return;
        }
        int length = (int) elements;
        whole[i] = arena.take(sources.size() + i, length);
        for (int first = 0; first < length; first += window) {
            checkCancelled();
            decode(i, first, Math.min(window, length - first), whole[i], first);
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
