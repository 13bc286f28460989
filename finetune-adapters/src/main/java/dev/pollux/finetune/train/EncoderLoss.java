package dev.pollux.finetune.train;

import java.util.ArrayList;
import java.util.List;

/**
 * The loss of a batch of an encoder, with its gradients. <em>Immutable.</em>
 *
 * @param accuracy the share of queries nearest to their positive, or of pairs on the right side of ½
 * @param gradients dL/dv of each text, or dL/dz of each pair, in order
 */
record EncoderLoss(double value, double accuracy, List<double[]> gradients) {

    /**
     * Binary cross-entropy.
     *
     * @param scores one of each unit
     */
    static EncoderLoss binary(List<EncoderRows.Unit> units, List<double[]> scores, double positiveWeight) {
        List<double[]> gradients = new ArrayList<>();
        double loss = 0;
        int hits = 0;
        for (int i = 0; i < units.size(); i++) {
            double z = scores.get(i)[0];
            double y = units.get(i).label();
            loss -= positiveWeight * y * Sigmoid.log(z) + (1 - y) * Sigmoid.log(-z);
            double dz = (1 - y) * Sigmoid.of(z) - positiveWeight * y * Sigmoid.of(-z);
            gradients.add(new double[] {dz / units.size()});
            hits += (z >= 0) == (y >= 0.5) ? 1 : 0;
        }
        return new EncoderLoss(loss / units.size(), (double) hits / units.size(), gradients);
    }
}
