package dev.pollux.inference.quantize.int8;

import dev.pollux.job.JobContext;
import java.util.Collection;

/** A float model that runs over calibration inputs. <em>Confined to one thread.</em> */
public interface ActivationRuns {

    /** Receives the values of an activation for some inputs. */
    @FunctionalInterface
    interface Reader {
        /**
         * Receives values.
         *
         * @param value the name of the activation in the graph
         * @param x (rows, width) with the last axis of the activation as width; the reader's own
         */
        void accept(String value, float[] x);
    }

    /**
     * One of several runs over all inputs. <em>Immutable.</em>
     *
     * @param index in [0, count)
     */
    record Pass(int index, int count, JobContext context) {

        /** Reports progress of this pass. */
        public void done(long done, long all, String unit) {
            context.progress("calibrate", index * all + done, count * all, unit);
        }
    }

    /** Names the model in messages. */
    String model();

    /**
     * Runs the model once over all inputs. Repeated passes give the same values in the same order.
     *
     * @param values names of activations of the graph
     * @throws dev.pollux.ModelExecutionException if a run fails
     */
    void read(Collection<String> values, Reader reader, Pass pass);
}
