package dev.pollux.finetune.train;

/** The learning rate of a run, as a share of the base rate. <em>Confined to one thread.</em> */
final class LearningRate {

    /*
     * Schedules by loss remember losses: "plateau" as torch.optim.lr_scheduler.ReduceLROnPlateau with its defaults, "greedy" as
     * transformers.optimization.GreedyLR. Both compare with the best loss so far by a threshold and count steps in a row.
     */

    private final LearningRateSchedule schedule;
    private final double base;
    private final long warmUp;
    private final long total;
    private double share = 1;
    private double best = Double.POSITIVE_INFINITY;
    private int worse;
    private int better;
    private int pause;
    private int untilReset;

    LearningRate(LearningRateSchedule schedule, double base, long warmUp, long total) {
        this.schedule = schedule;
        this.base = base;
        this.warmUp = warmUp;
        this.total = total;
        this.untilReset = (int) schedule.number("reset_start", 500);
    }

    /** The share in a step, from 0. */
    double share(long step) {
        return schedule.kind().isByLoss() ? share : schedule.share(step, warmUp, total, base);
    }

    /** What it remembers. */
    double[] state() {
        return new double[] {share, best, worse, better, pause, untilReset};
    }

    void restore(double[] state) {
        share = state[0];
        best = state[1];
        worse = (int) state[2];
        better = (int) state[3];
        pause = (int) state[4];
        untilReset = (int) state[5];
    }

    /** Takes a loss into account. */
    void loss(double loss) {
        if (schedule.kind() == LearningRateSchedule.Kind.REDUCE_LR_ON_PLATEAU) {
            plateau(loss);
        } else if (schedule.kind() == LearningRateSchedule.Kind.GREEDY) {
            greedy(loss);
        }
    }

    private void plateau(double loss) {
        if (loss < best * (1 - schedule.number("threshold", 1e-4))) {
            best = loss;
            worse = 0;
        } else {
            worse++;
        }
        if (pause > 0) {
            pause--;
            worse = 0;
        }
        if (worse > schedule.number("patience", 10)) {
            double next = Math.max(share * base * schedule.number("factor", 0.1), schedule.number("min_lr", 0));
            if (share * base - next > schedule.number("eps", 1e-8)) {
                share = next / base;
            }
            pause = (int) schedule.number("cooldown", 0);
            worse = 0;
        }
    }

    private void greedy(double loss) {
        if (pause > 0) {
            pause--;
            worse = 0;
            better = 0;
            return;
        }
        if (loss < best - schedule.number("threshold", 1e-6)) {
            best = loss;
            worse = 0;
            better++;
        } else {
            worse++;
            better = 0;
        }
        double patience = schedule.number("patience", 10);
        double factor = schedule.number("factor", 0.95);
        if (better > patience) {
            move(Math.min(share * base / factor, schedule.number("max_lr", 1)));
            untilReset = (int) schedule.number("reset_start", 500);
            pause = (int) schedule.number("warmup", 0);
            better = 0;
        } else if (worse > patience) {
            reduce(factor);
        }
    }

    private void reduce(double factor) {
        double least = schedule.number("min_lr", 1e-3);
        move(Math.max(share * base * factor, least));
        pause = (int) schedule.number("cooldown", 0);
        worse = 0;
        if (share * base <= least && --untilReset <= 0) {
            share = 1;
            best = Double.POSITIVE_INFINITY;
            pause = 0;
            untilReset = (int) schedule.number("reset_start", 500);
        }
    }

    private void move(double rate) {
        if (Math.abs(rate - share * base) > schedule.number("eps", 1e-8)) {
            share = rate / base;
        }
    }
}
