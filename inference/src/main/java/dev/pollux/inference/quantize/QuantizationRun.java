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
 */
record QuantizationRun(JobContext context, Workers workers, int threads, long memory, long total, AtomicLong read) {

    /** Reports that more bytes have been read. */
    void progress(long bytes) {
        context.progress("quantize", Math.min(total, read.addAndGet(bytes)), total, "bytes");
    }
}
