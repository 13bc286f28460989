package dev.pollux.finetune.train;

/** The running mean of rewards of BCO. <em>Confined to one thread.</em> */
final class RunningReward {

    private double mean;
    private double count = 1e-24; // TRL's, so that the first batch replaces the mean

    double mean() {
        return mean;
    }

    double count() {
        return count;
    }

    void restore(double newMean, double newCount) {
        mean = newMean;
        count = newCount;
    }

    void add(double[] rewards) {
        double sum = 0;
        for (double reward : rewards) {
            sum += reward;
        }
        double all = count + rewards.length;
        mean += (sum / rewards.length - mean) * rewards.length / all;
        count = all;
    }
}
