package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Weight;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * What a killed run of the same quantization wrote, and the record of what this run writes. Weights are named by their codes.
 * <em>Confined to one thread.</em>
 */
public interface CodeJournal {

    /** No earlier run, and no record. */
    CodeJournal NONE = new CodeJournal() {
        @Override
        public boolean isFinished(String codes) {
            return false;
        }

        @Override
        public double relativeError(String codes) {
            return 0;
        }

        @Override
        public void begin(String codes) {}

        @Override
        public void computed(String codes, long bytes, double relativeError) {}

        @Override
        public boolean copy(Weight weight, Consumer<ByteBuffer> sink) {
            return false;
        }
    };

    /** Whether an earlier run wrote the codes, with their scales and zero points. */
    boolean isFinished(String codes);

    /** The error of a finished weight. */
    double relativeError(String codes);

    /** Called before codes are written: the weights before them are complete in the file. */
    void begin(String codes);

    /** Called when codes have been computed and written. */
    void computed(String codes, long bytes, double relativeError);

    /**
     * Passes the bytes that an earlier run wrote to {@code sink}.
     *
     * @param weight codes, scales or zero points of a finished weight
     * @return whether they are in the file of that run; if not, nothing is passed
     */
    boolean copy(Weight weight, Consumer<ByteBuffer> sink);
}
