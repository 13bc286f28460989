package dev.pollux.finetune.train;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The contrastive loss of a batch. <em>For one call.</em> */
final class ContrastiveLoss {

    /*
     *   s = scale · q̂·d̂,  L = −mean log p,  p = softmax(s) over the documents of the batch,  dL/ds = (p − onehot) / n
     *   v̂ = v / ‖v‖,      dL/dv = (dL/dv̂ − v̂ (v̂ · dL/dv̂)) / ‖v‖
     *
     * All sums are in 64 bits and in the order of the texts.
     */

    private final List<EncoderRows.Unit> units;
    private final double scale;
    private final List<Integer> queries = new ArrayList<>(); // the place of each unit's query among the vectors
    private final List<Integer> positives = new ArrayList<>(); // the place of its positive among the documents
    private final List<Integer> documents = new ArrayList<>(); // the place of each document among the vectors
    private final List<String> texts = new ArrayList<>(); // of the documents
    private final Map<String, Set<String>> wanted = new HashMap<>(); // the positives of each query
    private final List<double[]> unit; // the vectors with length 1
    private final List<double[]> sums = new ArrayList<>(); // dL/dv̂
    private double loss;
    private int hits;

    private ContrastiveLoss(List<EncoderRows.Unit> units, List<double[]> vectors, double scale) {
        this.units = units;
        this.scale = scale;
        int at = 0;
        for (EncoderRows.Unit one : units) {
            queries.add(at++);
            positives.add(documents.size());
            wanted.computeIfAbsent(one.query(), key -> new HashSet<>())
                    .add(one.documents().get(0));
            for (String text : one.documents()) {
                documents.add(at++);
                texts.add(text);
            }
        }
        this.unit = vectors.stream().map(ContrastiveLoss::normalized).toList();
        vectors.forEach(vector -> sums.add(new double[vector.length]));
    }

    /** @param vectors of the texts of all units, in order, not normalized */
    static EncoderLoss of(List<EncoderRows.Unit> units, List<double[]> vectors, double scale) {
        ContrastiveLoss all = new ContrastiveLoss(units, vectors, scale);
        for (int i = 0; i < units.size(); i++) {
            all.query(i);
        }
        List<double[]> gradients = new ArrayList<>();
        for (int i = 0; i < vectors.size(); i++) {
            gradients.add(through(vectors.get(i), all.unit.get(i), all.sums.get(i)));
        }
        return new EncoderLoss(all.loss / units.size(), (double) all.hits / units.size(), gradients);
    }

    private void query(int i) {
        int positive = positives.get(i);
        double[] q = unit.get(queries.get(i));
        double[] scores = new double[documents.size()];
        double largest = Double.NEGATIVE_INFINITY;
        int best = positive;
        for (int j = 0; j < scores.length; j++) {
            scores[j] = isCompared(i, j) ? scale * dot(q, unit.get(documents.get(j))) : Double.NEGATIVE_INFINITY;
            if (scores[j] > largest) {
                largest = scores[j];
                best = j;
            }
        }
        hits += best == positive ? 1 : 0;
        double sum = 0;
        for (double score : scores) {
            sum += Math.exp(score - largest);
        }
        loss -= scores[positive] - largest - Math.log(sum);
        for (int j = 0; j < scores.length; j++) {
            double share = Math.exp(scores[j] - largest) / sum;
            double ds = scale * (share - (j == positive ? 1 : 0)) / units.size();
            add(sums.get(queries.get(i)), unit.get(documents.get(j)), ds);
            add(sums.get(documents.get(j)), q, ds);
        }
    }

    /** Documents that are positives of the same query elsewhere, or have the same text, are none of its negatives. */
    private boolean isCompared(int query, int document) {
        return document == positives.get(query)
                || !wanted.getOrDefault(units.get(query).query(), Set.of()).contains(texts.get(document));
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void add(double[] sum, double[] vector, double factor) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * vector[i];
        }
    }

    private static double[] normalized(double[] vector) {
        double[] normalized = vector.clone();
        double length = Math.sqrt(dot(vector, vector));
        for (int i = 0; i < normalized.length && length > 0; i++) {
            normalized[i] /= length;
        }
        return normalized;
    }

    private static double[] through(double[] vector, double[] normalized, double[] gradient) {
        double length = Math.sqrt(dot(vector, vector));
        double along = dot(normalized, gradient);
        double[] result = new double[vector.length];
        for (int i = 0; i < result.length && length > 0; i++) {
            result[i] = (gradient[i] - normalized[i] * along) / length;
        }
        return result;
    }
}
