package dev.pollux.inference.quantize;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Distributes bytes over groups of matrices. <em>Not thread-safe: one thread at a time.</em> */
final class PrecisionAllocation {

    /*
     * Minimize Σ kl(form of g) so that Σ bytes(form of g) ≤ B. With a multiplier λ each group alone takes the form with the least
     * kl + λ·bytes, which is a vertex of its convex hull (Everett, "Generalized Lagrange multiplier method", 1963; for bits of coders:
     * Shoham and Gersho, 1988). Lowering λ moves one group at a time to its next vertex, in the order of gain per byte. So the steps of
     * all groups are sorted once, and each prefix of them is optimal for the bytes that it takes. Beyond the first step that does not
     * fit, later ones that fit are taken too; a group takes its steps in order.
     */

    private final List<PrecisionCurve> curves;
    private final List<Step> steps = new ArrayList<>();
    private final int[] chosen; // per group, the index of its form

    /** A group goes from form {@code to − 1} to form {@code to}. */
    private record Step(int group, int to, double gain) {}

    PrecisionAllocation(List<PrecisionCurve> curves) {
        this.curves = List.copyOf(curves);
        this.chosen = new int[curves.size()];
        for (int group = 0; group < curves.size(); group++) {
            List<PrecisionCurve.Form> forms = curves.get(group).forms();
            for (int to = 1; to < forms.size(); to++) {
                steps.add(new Step(group, to, PrecisionCurve.gain(forms.get(to - 1), forms.get(to))));
            }
        }
        steps.sort(Comparator.comparingDouble(Step::gain)
                .reversed()
                .thenComparingInt(Step::group)
                .thenComparingInt(Step::to));
    }

    /** The least loss in at most {@code most} bytes; false if even the smallest forms take more. */
    boolean within(long most) {
        long bytes = bytes();
        if (bytes > most) {
            return false;
        }
        for (Step step : steps) {
            long more =
                    form(step.group(), step.to()).bytes() - form(step.group()).bytes();
            if (chosen[step.group()] == step.to() - 1 && bytes + more <= most) {
                chosen[step.group()] = step.to();
                bytes += more;
            }
        }
        return true;
    }

    /** The fewest bytes with a loss of at most {@code most}; false if even the largest forms lose more. */
    boolean losing(double most) {
        for (Step step : steps) {
            if (kl() <= most) {
                break;
            }
            chosen[step.group()] = step.to();
        }
        return kl() <= most;
    }

    /** The form of a group. */
    PrecisionCurve.Form form(int group) {
        return form(group, chosen[group]);
    }

    private PrecisionCurve.Form form(int group, int index) {
        return curves.get(group).forms().get(index);
    }

    long bytes() {
        long bytes = 0;
        for (int group = 0; group < chosen.length; group++) {
            bytes += form(group).bytes();
        }
        return bytes;
    }

    /** Σ of the losses of single groups. */
    double kl() {
        double kl = 0;
        for (int group = 0; group < chosen.length; group++) {
            kl += form(group).kl();
        }
        return kl;
    }

    /** Mean bits of a code. */
    double bits() {
        double bits = 0;
        double elements = 0;
        for (int group = 0; group < chosen.length; group++) {
            bits += (double) form(group).bits() * curves.get(group).elements();
            elements += curves.get(group).elements();
        }
        return bits / elements;
    }

    /**
     * Points of the optimal curve at about equal distances in bytes.
     *
     * @param count at least 2
     * @param rest bytes of all other weights
     * @param together the loss of all groups together ÷ the sum of the losses of single groups
     */
    static List<PrecisionPlan.Point> points(List<PrecisionCurve> curves, int count, long rest, double together) {
        PrecisionAllocation all = new PrecisionAllocation(curves);
        List<PrecisionPlan.Point> points = new ArrayList<>();
        long least = all.bytes();
        long most = least;
        for (PrecisionCurve curve : curves) {
            most += curve.forms().get(curve.forms().size() - 1).bytes()
                    - curve.forms().get(0).bytes();
        }
        int taken = 0;
        for (int i = 0; i < count; i++) {
            long until = least + (most - least) * i / (count - 1);
            while (taken < all.steps.size() && all.bytes() < until) {
                Step step = all.steps.get(taken++);
                all.chosen[step.group()] = step.to();
            }
            PrecisionPlan.Point point = new PrecisionPlan.Point(rest + all.bytes(), together * all.kl(), all.bits());
            if (points.isEmpty()
                    || point.bytes() > points.get(points.size() - 1).bytes()) {
                points.add(point);
            }
        }
        return points;
    }
}
