package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

/** A reward model. <em>Immutable.</em> */
final class RewardObjective extends Objective {

    private final double centering;

    RewardObjective(double centering) {
        require(centering >= 0 && Double.isFinite(centering), "centering", "at least 0 and finite", centering);
        this.centering = centering;
    }

    @Override
    public Rows rows() {
        return Rows.PAIRS;
    }

    @Override
    public String name() {
        return "reward";
    }

    @Override
    boolean needsReference() {
        return false;
    }

    @Override
    boolean scoresTexts() {
        return true;
    }

    @Override
    String accuracy() {
        return "accuracy";
    }

    /** The one element of each sequence is its score. */
    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        int pairs = batch.pairs();
        double right = 0;
        double margins = 0;
        double sum = 0;
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < pairs; i++) {
            double chosen = batch.chosen(i).sum();
            double rejected = batch.rejected(i).sum();
            double difference = chosen - rejected - batch.margin(i);
            double both = chosen + rejected;
            result.add((-Sigmoid.log(difference) + centering * both * both) / pairs);
            double slope = -Sigmoid.of(-difference);
            result.addGradient(i, (slope + 2 * centering * both) / pairs);
            result.addGradient(pairs + i, (-slope + 2 * centering * both) / pairs);
            right += chosen > rejected ? 1 : 0;
            margins += chosen - rejected;
            sum += both;
            least = Math.min(least, Math.min(chosen, rejected));
            most = Math.max(most, Math.max(chosen, rejected));
        }
        result.metric("min_reward", least);
        result.metric("mean_reward", sum / (2 * pairs));
        result.metric("max_reward", most);
        result.metric("accuracy", right / pairs);
        result.metric("margin", margins / pairs);
        return result;
    }

    @Override
    public String toString() {
        return "reward centering=" + centering;
    }
}
