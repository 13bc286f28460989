package dev.pollux.internal.math;

/**
 * Random numbers by their index: element i of a stream is a function of the stream's key and i, so they are the same in any
 * order, on any number of threads and any machine.
 *
 * <p>The i-th number is the output function of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014) at key + i·γ, γ the golden ratio in 64 bits.
 */
public final class CounterRandom {

    static final long GAMMA = 0x9e3779b97f4a7c15L;
    static final long MIX1 = 0xbf58476d1ce4e5b9L;
    static final long MIX2 = 0x94d049bb133111ebL;

    private CounterRandom() {}

    /** A key for the numbers that belong to all of {@code names}, in this order. */
    public static long key(long seed, String... names) {
        long key = mix(seed + GAMMA);
        for (String name : names) {
            for (int i = 0; i < name.length(); i++) {
                key = mix(key * 31 + name.charAt(i) + GAMMA);
            }
            key = mix(key ^ GAMMA);
        }
        return key;
    }

    /** Number {@code index} of stream {@code key}, uniform in [0, 2<sup>53</sup>). */
    public static long bits(long key, long index) {
        return mix(key + index * GAMMA) >>> 11;
    }

    /** The limit t such that {@link #bits} &lt; t with probability {@code p}. */
    public static long limit(double p) {
        return (long) Math.ceil(p * 0x1p53);
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * MIX1;
        z = (z ^ (z >>> 27)) * MIX2;
        return z ^ (z >>> 31);
    }
}
