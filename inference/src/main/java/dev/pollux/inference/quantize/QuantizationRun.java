package dev.pollux.inference.quantize;

import dev.pollux.artifact.Workers;
import dev.pollux.job.JobContext;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the weights of one run share.
 *
 * @param workers threads that read and quantize
 * @param threads how many there are
 * @param memory bytes of working memory
 * @param total bytes of weights to read
 * @param read bytes of weights read so far
 * @param calibrated matrices whose codes are chosen on texts
 */
record QuantizationRun(
        JobContext context,
        Workers workers,
        int threads,
        long memory,
        long total,
        AtomicLong read,
        CalibratedWeights calibrated) {

    /** A run without texts. */
    QuantizationRun(JobContext context, Workers workers, int threads, long memory, long total, AtomicLong read) {
        this(context, workers, threads, memory, total, read, CalibratedWeights.NONE);
    }

    /** The same with matrices whose codes are chosen on texts. */
    QuantizationRun with(CalibratedWeights weights) {
        return new QuantizationRun(context, workers, threads, memory, total, read, weights);
    }

    /** Reports that more bytes have been read. */
    void progress(long bytes) {
        context.progress("quantize", Math.min(total, read.addAndGet(bytes)), total, "bytes");
    }
}
