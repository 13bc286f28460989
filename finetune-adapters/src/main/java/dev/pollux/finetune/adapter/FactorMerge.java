package dev.pollux.finetune.adapter;

import dev.pollux.internal.math.CounterRandom;
import dev.pollux.internal.math.SingularValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Calculates the merges that {@link AdapterMethod} defines. */
final class FactorMerge {

    private final double[] weights; // (n)
    private final List<Factors> changes; // (n)
    private final long key;

    /** @param key key of the random numbers for this matrix */
    FactorMerge(List<Double> weights, List<Factors> changes, long key) {
        this.weights = weights.stream().mapToDouble(Double::doubleValue).toArray();
        this.changes = changes;
        this.key = key;
    }

    Factors by(AdapterMethod method) {
        if (method instanceof AdapterMethod.OnFactors factors) {
            return onFactors(factors);
        }
        return method instanceof AdapterMethod.CoreSpace core ? core(core) : concatenated(weights);
    }

    private Factors concatenated(double[] w) {
        List<double[]> a = new ArrayList<>();
        for (Factors change : changes) {
            a.addAll(Arrays.asList(change.a()));
        }
        double[][] b = new double[changes.get(0).b().length][a.size()];
        int at = 0;
        for (int i = 0; i < changes.size(); i++) {
            Factors change = changes.get(i);
            for (int row = 0; row < b.length; row++) {
                for (int k = 0; k < change.rank(); k++) {
                    b[row][at + k] = w[i] * change.scale() * change.b()[row][k];
                }
            }
            at += change.rank();
        }
        return new Factors(b, a.toArray(double[][]::new), 1);
    }

    private Factors core(AdapterMethod.CoreSpace method) {
        double[] ones = new double[weights.length];
        Arrays.fill(ones, 1);
        Factors all = concatenated(ones);
        double[][] left = SingularValues.of(all.b()).u(); // (out, R)
        double[][] right = SingularValues.of(Factors.transposed(all.a())).u(); // (in, R)
        List<double[][]> cores = new ArrayList<>();
        for (Factors change : changes) {
            double[][] core = Factors.product(
                    Factors.product(Factors.transposed(left), change.b()), Factors.product(change.a(), right));
            for (double[] row : core) {
                Arrays.setAll(row, j -> change.scale() * row[j]);
            }
            cores.add(thinned(core, method.density(), AdapterMethod.Thinning.MAGNITUDE, 0));
        }
        double[] w = weights;
        double[][] merged = method.electSigns() ? elected(cores, w, w) : sum(cores, w);
        SingularValues values = SingularValues.of(merged);
        int rank = (int) Math.max(
                1,
                Math.min(
                        method.rank(),
                        Arrays.stream(values.values()).filter(s -> s > 0).count()));
        double[][] b = new double[merged.length][rank];
        double[][] a = new double[rank][merged.length];
        for (int k = 0; k < rank; k++) {
            double root = Math.sqrt(values.values()[k]);
            for (int i = 0; i < merged.length; i++) {
                b[i][k] = values.u()[i][k] * root;
                a[k][i] = values.v()[i][k] * root;
            }
        }
        return new Factors(Factors.product(left, b), Factors.product(a, Factors.transposed(right)), 1);
    }

    private Factors onFactors(AdapterMethod.OnFactors method) {
        List<double[][]> a = new ArrayList<>();
        List<double[][]> b = new ArrayList<>();
        double[] roots = new double[weights.length];
        double[] same = new double[weights.length];
        for (int i = 0; i < weights.length; i++) {
            roots[i] = Math.sqrt(weights[i] * changes.get(i).scale());
            same[i] = 1;
            a.add(thinned(changes.get(i).a(), method.density(), method.thinning(), 2L * i));
            b.add(thinned(changes.get(i).b(), method.density(), method.thinning(), 2L * i + 1));
        }
        return method.electSigns()
                ? new Factors(elected(b, roots, same), elected(a, roots, same), 1)
                : new Factors(sum(b, roots), sum(a, roots), 1);
    }

    private static double[][] sum(List<double[][]> matrices, double[] w) {
        double[][] sum = new double[matrices.get(0).length][matrices.get(0)[0].length];
        for (int i = 0; i < w.length; i++) {
            for (int row = 0; row < sum.length; row++) {
                for (int j = 0; j < sum[row].length; j++) {
                    sum[row][j] += w[i] * matrices.get(i)[row][j];
                }
            }
        }
        return sum;
    }

    /**
     * Returns Σ w·x / Σ share over the elements with sign(share·x) = sign(Σ share·x), where 0 counts as + in the sum; with
     * equal shares, this is the sign of the plain sum.
     */
    private static double[][] elected(List<double[][]> matrices, double[] w, double[] shares) {
        double[][] result = sum(matrices, shares);
        for (int row = 0; row < result.length; row++) {
            for (int j = 0; j < result[row].length; j++) {
                double sign = result[row][j] >= 0 ? 1 : -1;
                double sum = 0;
                double share = 0;
                for (int i = 0; i < w.length; i++) {
                    double x = matrices.get(i)[row][j];
                    if (Math.signum(x * shares[i]) == sign) {
                        sum += w[i] * x;
                        share += shares[i];
                    }
                }
                result[row][j] = share == 0 ? sum : sum / share;
            }
        }
        return result;
    }

    private double[][] thinned(double[][] matrix, double density, AdapterMethod.Thinning how, long stream) {
        if (density == 1) {
            return matrix;
        }
        int columns = matrix[0].length;
        int n = matrix.length * columns;
        double[][] kept = new double[matrix.length][columns];
        if (how == AdapterMethod.Thinning.RANDOM) {
            long own = CounterRandom.key(key, String.valueOf(stream));
            for (int i = 0; i < n; i++) {
                if (CounterRandom.bits(own, i) < CounterRandom.limit(density)) {
                    kept[i / columns][i % columns] = matrix[i / columns][i % columns] / density;
                }
            }
            return kept;
        }
        IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -Math.abs(matrix[i / columns][i % columns])))
                .limit(Math.max(1, (long) Math.floor(density * n)))
                .forEach(i -> kept[i / columns][i % columns] = matrix[i / columns][i % columns]);
        return kept;
    }
}
