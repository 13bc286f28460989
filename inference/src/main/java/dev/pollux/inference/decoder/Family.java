package dev.pollux.inference.decoder;

import dev.pollux.job.JobContext;

/** Writes the graph of one family of decoders. */
interface Family {

    /** Writes everything from {@code input_ids} to {@code logits}; reports layers, and may be cancelled between them. */
    void write(JobContext context);
}
