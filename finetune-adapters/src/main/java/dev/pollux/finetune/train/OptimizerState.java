package dev.pollux.finetune.train;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** An optimizer's memory of one parameter, and its step. Elements are calculated in 64 bits. <em>Confined to one thread.</em> */
final class OptimizerState {

    private static final double TORCH_EPSILON = Math.ulp(1.0f); // torch.finfo(float32).eps

    private final Optimizer optimizer;
    private final int rows;
    private final int columns; // 0 for a vector
    private final Map<String, float[]> moments = new LinkedHashMap<>();
    private long step;

    OptimizerState(Optimizer optimizer, List<Long> shape) {
        this.optimizer = optimizer;
        this.rows = Math.toIntExact(shape.get(0));
        this.columns = shape.size() > 1 ? Math.toIntExact(shape.get(1)) : 0;
    }

    /** The arrays that it remembers, by name. */
    Map<String, float[]> moments() {
        return moments;
    }

    long step() {
        return step;
    }

    /** Continues from a stored state. */
    void restore(long newStep, Map<String, float[]> stored) {
        step = newStep;
        moments.clear();
        moments.putAll(stored);
    }

    private float[] moment(String name, int length) {
        return moments.computeIfAbsent(name, key -> new float[length]);
    }

    /** Changes the values by their gradient. */
    void step(float[] values, float[] gradient, double rate, double weightDecay) {
        step++;
        if (optimizer instanceof Optimizer.AdamW adam) {
            adam(adam, values, gradient, rate, weightDecay);
        } else if (optimizer instanceof Optimizer.Lion lion) {
            lion(lion, values, gradient, rate, weightDecay);
        } else if (optimizer instanceof Optimizer.Sgd sgd) {
            sgd(sgd, values, gradient, rate, weightDecay);
        } else if (optimizer instanceof Optimizer.Adafactor factor) {
            adafactor(factor, values, gradient, rate, weightDecay);
        } else {
            scaledAdafactor((Optimizer.ScaledAdafactor) optimizer, values, gradient, rate, weightDecay);
        }
    }

    private void adam(Optimizer.AdamW a, float[] values, float[] gradient, double rate, double decay) {
        float[] first = moment("exp_avg", values.length);
        float[] second = moment("exp_avg_sq", values.length);
        float[] most = a.largest() ? moment("max_exp_avg_sq", values.length) : second;
        double size = rate / (1 - Math.pow(a.beta1(), (double) step));
        double root = Math.sqrt(1 - Math.pow(a.beta2(), (double) step));
        for (int i = 0; i < values.length; i++) {
            double value = a.decoupled() ? values[i] * (1 - rate * decay) : values[i];
            double g = a.decoupled() ? gradient[i] : gradient[i] + decay * value;
            first[i] = (float) (first[i] + (1 - a.beta1()) * (g - first[i]));
            second[i] = (float) (a.beta2() * second[i] + (1 - a.beta2()) * g * g);
            most[i] = Math.max(most[i], second[i]);
            values[i] = (float) (value - size * first[i] / (Math.sqrt(most[i]) / root + a.epsilon()));
        }
    }

    private void lion(Optimizer.Lion l, float[] values, float[] gradient, double rate, double decay) {
        float[] mean = moment("exp_avg", values.length);
        for (int i = 0; i < values.length; i++) {
            double direction = Math.signum(l.beta1() * mean[i] + (1 - l.beta1()) * gradient[i]);
            values[i] = (float) (values[i] * (1 - rate * decay) - rate * direction);
            mean[i] = (float) (l.beta2() * mean[i] + (1 - l.beta2()) * gradient[i]);
        }
    }

    private void sgd(Optimizer.Sgd s, float[] values, float[] gradient, double rate, double decay) {
        boolean remembers = s.momentum() != 0;
        float[] buffer = remembers ? moment("momentum_buffer", values.length) : values;
        for (int i = 0; i < values.length; i++) {
            double g = gradient[i] + decay * values[i];
            if (remembers) {
                buffer[i] = (float) (step == 1 ? g : s.momentum() * buffer[i] + (1 - s.dampening()) * g);
                g = s.nesterov() ? g + s.momentum() * buffer[i] : buffer[i];
            }
            values[i] = (float) (values[i] - rate * g);
        }
    }

    private void adafactor(Optimizer.Adafactor a, float[] values, float[] gradient, double given, double decay) {
        double rate = given;
        if (a.relative()) {
            rate = Math.min(a.warmUp() ? 1e-6 * step : 1e-2, 1 / Math.sqrt((double) step));
        }
        rate *= a.scaled() ? Math.max(a.leastScale(), rootMeanSquare(values)) : 1;
        double kept = 1 - Math.pow((double) step, a.decay());
        double[] update =
                columns > 0 ? factored(gradient, kept, a.epsilon(), 0) : unfactored(gradient, kept, a.epsilon(), 0);
        double bound = Math.max(1, rootMeanSquare(update) / a.clip());
        float[] mean = a.beta1() > 0 ? moment("exp_avg", values.length) : new float[0];
        for (int i = 0; i < values.length; i++) {
            double change = update[i] / bound * rate;
            if (a.beta1() > 0) {
                mean[i] = (float) (a.beta1() * mean[i] + (1 - a.beta1()) * change);
                change = mean[i];
            }
            values[i] = (float) (values[i] - decay * rate * values[i] - change);
        }
    }

    private void scaledAdafactor(
            Optimizer.ScaledAdafactor a, float[] values, float[] gradient, double given, double decay) {
        double kept = 1 - Math.pow((double) step, a.decay());
        double rate = Math.max(a.leastScale(), rootMeanSquare(values)) * Math.min(given, 1 / Math.sqrt((double) step));
        double[] update =
                columns > 0 ? factored(gradient, kept, 0, TORCH_EPSILON) : unfactored(gradient, kept, 0, TORCH_EPSILON);
        double bound = Math.max(1, rootMeanSquare(update) / a.clip());
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * (1 - given * decay) - rate / bound * update[i]);
        }
    }

    /** g / √v with v the product of the means of rows and columns of g² over the mean of all; {@code least} bounds v. */
    private double[] factored(float[] gradient, double kept, double epsilon, double least) {
        float[] byRow = moment("exp_avg_sq_row", rows);
        float[] byColumn = moment("exp_avg_sq_col", columns);
        double[] rowSums = new double[rows];
        double[] columnSums = new double[columns];
        for (int i = 0; i < gradient.length; i++) {
            double square = (double) gradient[i] * gradient[i] + epsilon;
            rowSums[i / columns] += square;
            columnSums[i % columns] += square;
        }
        double all = 0;
        for (int row = 0; row < rows; row++) {
            byRow[row] = (float) (kept * byRow[row] + (1 - kept) * rowSums[row] / columns);
            all += byRow[row];
        }
        for (int column = 0; column < columns; column++) {
            byColumn[column] = (float) (kept * byColumn[column] + (1 - kept) * columnSums[column] / rows);
        }
        double mean = Math.max(all / rows, least);
        double[] update = new double[gradient.length];
        for (int i = 0; i < update.length; i++) {
            double v = (double) byRow[i / columns] * byColumn[i % columns] / mean;
            update[i] = gradient[i] / Math.sqrt(Math.max(v, least * least));
        }
        return update;
    }

    private double[] unfactored(float[] gradient, double kept, double epsilon, double least) {
        float[] second = moment("exp_avg_sq", gradient.length);
        double[] update = new double[gradient.length];
        for (int i = 0; i < update.length; i++) {
            double square = (double) gradient[i] * gradient[i] + epsilon;
            second[i] = (float) (kept * second[i] + (1 - kept) * square);
            update[i] = gradient[i] / Math.sqrt(Math.max(second[i], least * least));
        }
        return update;
    }

    private static double rootMeanSquare(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum / values.length);
    }

    private static double rootMeanSquare(double[] values) {
        return Math.sqrt(Arrays.stream(values).map(value -> value * value).sum() / values.length);
    }

    @Override
    public String toString() {
        return Objects.toString(optimizer) + " after " + step + " steps";
    }
}
