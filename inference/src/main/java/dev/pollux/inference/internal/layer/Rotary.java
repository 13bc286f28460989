package dev.pollux.inference.internal.layer;

import dev.pollux.inference.checkpoint.RotaryScaling;
import java.util.List;

/**
 * Rotary positions (Su et al., arXiv:2104.09864). <em>Immutable.</em>
 *
 * <p>There is one set of frequencies, or two, of which the second is for all positions of a sequence of more than {@link
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

    /** The first {@code width} elements of a head turn with wavelengths that grow with powers of {@code theta}, scaled. */
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

    /** Begins the names of its tables. */
    public String name() {
        return name;
    }

    /** The sets of frequencies, in radians a position; not to be changed. */
    public List<double[]> sets() {
        return sets;
    }

    /** What cosines and sines are multiplied with. */
    public double factor() {
        return factor;
    }

    /** Whether neighbours are a pair, else i and i + width / 2. */
    public boolean interleaved() {
        return interleaved;
    }

    /** The most tokens for which the first set holds; 0 where there is one set. */
    public int switchLength() {
        return switchLength;
    }

    /** How many elements of a head's beginning turn. */
    public int width() {
        return 2 * sets.get(0).length;
    }

    /** What the frequencies were made from. */
    public String formula() {
        return formula;
    }
}
