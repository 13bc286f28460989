package dev.pollux.inference.internal.layer;

import dev.pollux.inference.checkpoint.RotaryScaling;
import java.util.List;

/**
 * Rotary positions (Su et al., arXiv:2104.09864). <em>Immutable.</em>
 *
 * <p>There are one or two sets of frequencies. The second set applies to all positions of a sequence of more than {@link
 * #switchLength} tokens.
 */
public final class Rotary {

    private final String name;
    private final List<double[]> sets; // each (width / 2)
    private final double factor;
    private final boolean interleaved;
    private final int switchLength;
    private final String formula;

    private Rotary(
            String name, List<double[]> sets, double factor, boolean interleaved, int switchLength, String formula) {
        this.name = name;
        this.sets = sets;
        this.factor = factor;
        this.interleaved = interleaved;
        this.switchLength = switchLength;
        this.formula = formula;
    }

    /**
     * Rotates the first {@code width} elements of a head, with scaled wavelengths that grow with powers of {@code theta}.
     */
    static Rotary powers(String name, int width, double theta, RotaryScaling scaling, boolean interleaved) {
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / width);
        }
        return new Rotary(
                name,
                List.of(scaling.apply(frequencies, theta)),
                scaling.attentionFactor(),
                interleaved,
                0,
                "Rotary[theta=" + theta + ", scaling=" + scaling + "]");
    }

    /** These frequencies, cos and sin times {@code factor}. */
    static Rotary of(String name, double[] frequencies, double factor, boolean interleaved) {
        return new Rotary(name, List.of(frequencies), factor, interleaved, 0, name);
    }

    /** Two sets of frequencies, the second for sequences of more than {@code length} tokens. */
    static Rotary switched(String name, double[] upTo, double[] beyond, int length, double factor) {
        return new Rotary(name, List.of(upTo, beyond), factor, false, length, name);
    }

    /** The prefix of its tables' names. */
    public String name() {
        return name;
    }

    /** The sets of frequencies, in radians per position; read-only. */
    public List<double[]> sets() {
        return sets;
    }

    /** The factor of cosines and sines. */
    public double factor() {
        return factor;
    }

    /** Whether pairs are neighbours; else they are i and i + width / 2. */
    public boolean interleaved() {
        return interleaved;
    }

    /** The length limit of the first set; 0 if there is only one set. */
    public int switchLength() {
        return switchLength;
    }

    /** The number of rotated elements at the beginning of a head. */
    public int width() {
        return 2 * sets.get(0).length;
    }

    /** A description of the frequencies' formula. */
    public String formula() {
        return formula;
    }
}
