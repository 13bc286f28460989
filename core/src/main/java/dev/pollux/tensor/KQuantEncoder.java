package dev.pollux.tensor;

import dev.pollux.internal.math.Float16;
import java.nio.ByteBuffer;

/** Encodes the block types with two levels of scales; layouts are documented at {@link KQuants}. */
final class KQuantEncoder {

    /*
     * Q4_K and Q5_K: each group of 32 gets a scale s ≥ 0 and a minimum −m ≤ 0 that minimize Σ wᵢ (s·qᵢ − m − xᵢ)², with weights
     * wᵢ = √(mean x²) + |xᵢ|. Codes are tried for several inverse scales (n + r + i·δ) / (max − min); for each set of codes the
     * best s and m are the solution of a linear system of two equations. Q6_K: each group of 16 gets a signed scale that
     * maximizes (Σ wᵢ xᵢ qᵢ)² / Σ wᵢ qᵢ² with wᵢ = xᵢ², over 19 inverse scales. Then the scales of a block are rounded to integers
     * times the block's half-precision d, and the codes are computed again with the rounded scales. Source: make_qkx2_quants,
     * make_qx_quants and quantize_row_q*_K_ref in ggml-quants.c; sums are 32-bit floats in the same order.
     */

    private static final int BLOCK = 256;
    private static final float SMALLEST = 1e-15f; // groups with smaller elements are 0

    private KQuantEncoder() {}

    static void q4k(float[] x, int from, ByteBuffer out, int at) {
        int[] codes = minimumBlock(x, from, new MinimumSearch(15, -1, 20), out, at);
        for (int e = 0; e < BLOCK / 2; e++) {
            int low = e / 32 * 64 + e % 32;
            out.put(at + 16 + e, (byte) (codes[low] | codes[low + 32] << 4));
        }
    }

    static void q5k(float[] x, int from, ByteBuffer out, int at) {
        int[] codes = minimumBlock(x, from, new MinimumSearch(31, -0.5f, 15), out, at);
        for (int e = 0; e < BLOCK / 2; e++) {
            int low = e / 32 * 64 + e % 32;
            out.put(at + 48 + e, (byte) (codes[low] & 15 | (codes[low + 32] & 15) << 4));
        }
        for (int e = 0; e < 32; e++) {
            int fifths = 0;
            for (int group = 0; group < 8; group++) {
                fifths |= codes[group * 32 + e] >> 4 << group;
            }
            out.put(at + 16 + e, (byte) fifths);
        }
    }

    /** Writes d, dmin and the 6-bit scales and minima, which Q4_K and Q5_K have in common; returns the codes. */
    private static int[] minimumBlock(float[] x, int from, MinimumSearch search, ByteBuffer out, int at) {
        float[] scales = new float[8];
        float[] minima = new float[8];
        int[] codes = new int[BLOCK];
        float mostScale = 0;
        float mostMinimum = 0;
        for (int g = 0; g < 8; g++) {
            search.find(x, from + 32 * g, codes, 32 * g);
            scales[g] = search.scale;
            minima[g] = search.minimum;
            mostScale = Math.max(mostScale, scales[g]);
            mostMinimum = Math.max(mostMinimum, minima[g]);
        }
        float inverseScale = mostScale > 0 ? 63 / mostScale : 0;
        float inverseMinimum = mostMinimum > 0 ? 63 / mostMinimum : 0;
        float d = half(out, at, mostScale / 63);
        float dmin = half(out, at + 2, mostMinimum / 63);
        int[] packed = new int[12];
        for (int g = 0; g < 8; g++) {
            int scale = Math.min(63, nearest(inverseScale * scales[g]));
            int minimum = Math.min(63, nearest(inverseMinimum * minima[g]));
            pack(packed, g, scale, minimum);
            float step = d * scale;
            float low = dmin * minimum;
            for (int e = 32 * g; step != 0 && e < 32 * g + 32; e++) {
                codes[e] = Math.max(0, Math.min(search.most, nearest((x[from + e] + low) / step)));
            }
        }
        for (int i = 0; i < 12; i++) {
            out.put(at + 4 + i, (byte) packed[i]);
        }
        return codes;
    }

    private static void pack(int[] packed, int group, int scale, int minimum) {
        if (group < 4) {
            packed[group] |= scale;
            packed[group + 4] |= minimum;
        } else {
            packed[group + 4] = scale & 15 | (minimum & 15) << 4;
            packed[group - 4] |= scale >> 4 << 6;
            packed[group] |= minimum >> 4 << 6;
        }
    }

    static void q6k(float[] x, int from, ByteBuffer out, int at) {
        float[] scales = new float[16];
        float largest = 0;
        for (int g = 0; g < 16; g++) {
            scales[g] = signedScale(x, from + 16 * g);
            largest = Math.abs(scales[g]) > Math.abs(largest) ? scales[g] : largest;
        }
        for (int i = 0; i < 210; i++) {
            out.put(at + i, (byte) 0);
        }
        if (Math.abs(largest) < SMALLEST) {
            return;
        }
        float inverse = -128 / largest;
        float d = half(out, at + 208, 1 / inverse);
        for (int g = 0; g < 16; g++) {
            int scale = Math.min(127, nearest(inverse * scales[g]));
            out.put(at + 192 + g, (byte) scale);
            float step = d * scale;
            for (int e = 16 * g; e < 16 * g + 16; e++) {
                int code = step == 0 ? 0 : Math.max(-32, Math.min(31, nearest(x[from + e] / step)));
                putSixBits(out, at, e, code + 32);
            }
        }
    }

    private static void putSixBits(ByteBuffer out, int at, int e, int code) {
        int low = at + e / 128 * 64 + e % 64;
        int high = at + 128 + e / 128 * 32 + e % 32;
        out.put(low, (byte) (out.get(low) | (code & 15) << e % 128 / 64 * 4));
        out.put(high, (byte) (out.get(high) | code >> 4 << e % 128 / 32 * 2));
    }

    /** The scale of 16 elements with codes in [−32, 31]. */
    private static float signedScale(float[] x, int from) {
        float largest = 0;
        for (int e = 0; e < 16; e++) {
            largest = Math.abs(x[from + e]) > Math.abs(largest) ? x[from + e] : largest;
        }
        if (Math.abs(largest) < SMALLEST) {
            return 0;
        }
        float best = 0;
        float scale = 0;
        for (int step = 0; step < 19; step++) {
            int is = step == 0 ? 0 : step <= 9 ? step - 10 : step - 9; // 0 first, then −9 … 9
            float inverse = -(32 + 0.1f * is) / largest;
            float xq = 0;
            float qq = 0;
            for (int e = 0; e < 16; e++) {
                float value = x[from + e];
                int q = Math.max(-32, Math.min(31, nearest(inverse * value)));
                float w = value * value;
                xq += w * value * q;
                qq += w * q * q;
            }
            if (step == 0) {
                scale = qq == 0 ? 0 : xq / qq;
                best = scale * xq;
            } else if (qq > 0 && xq * xq > best * qq) {
                scale = xq / qq;
                best = scale * xq;
            }
        }
        return scale;
    }

    private static int nearest(float value) {
        return (int) Math.rint(value);
    }

    /** Writes a half and returns its value. */
    private static float half(ByteBuffer out, int at, float value) {
        short bits = Float16.fromFloat(value);
        out.putShort(at, bits);
        return Float16.toFloat(bits);
    }

    /** Finds scale and minimum of 32 elements. <em>Confined to one thread.</em> */
    private static final class MinimumSearch {

        private static final float STEP = 0.1f;

        private final int most; // the largest code
        private final float first; // added to it in the first inverse scale
        private final int steps;
        private final float[] weights = new float[32];
        private final int[] trial = new int[32];
        private float scale;
        private float minimum; // ≥ 0, subtracted
        private float error; // of the best

        MinimumSearch(int most, float first, int steps) {
            this.most = most;
            this.first = first;
            this.steps = steps;
        }

        /** Finds the best scale and minimum; writes the codes for them. */
        void find(float[] x, int from, int[] codes, int to) {
            weigh(x, from);
            float low = x[from];
            float high = x[from];
            float sumW = 0;
            float sumX = 0;
            for (int e = 0; e < 32; e++) {
                low = Math.min(low, x[from + e]);
                high = Math.max(high, x[from + e]);
                sumW += weights[e];
                sumX += weights[e] * x[from + e];
            }
            low = Math.min(low, 0);
            scale = 0;
            minimum = -low;
            float range = high - low;
            if (range == 0) {
                return; // codes are 0
            }
            round(x, from, most / range, low);
            scale = 1 / (most / range);
            error = error(x, from, scale, low);
            System.arraycopy(trial, 0, codes, to, 32);
            for (int is = 0; is <= steps; is++) {
                round(x, from, (first + STEP * is + most) / range, low);
                if (solve(x, from, sumW, sumX)) {
                    System.arraycopy(trial, 0, codes, to, 32);
                }
            }
        }

        /** Solves for scale and minimum of the trial codes; whether they are better than before. */
        private boolean solve(float[] x, int from, float sumW, float sumX) {
            float sumQ = 0;
            float sumQq = 0;
            float sumXq = 0;
            for (int e = 0; e < 32; e++) {
                float w = weights[e];
                int q = trial[e];
                sumQ += w * q;
                sumQq += w * q * q;
                sumXq += w * q * x[from + e];
            }
            float determinant = sumW * sumQq - sumQ * sumQ;
            if (!(determinant > 0)) {
                return false;
            }
            float s = (sumW * sumXq - sumX * sumQ) / determinant;
            float l = (sumQq * sumX - sumQ * sumXq) / determinant;
            if (l > 0) {
                l = 0;
                s = sumXq / sumQq;
            }
            float trialError = error(x, from, s, l);
            if (!(trialError < error)) {
                return false;
            }
            error = trialError;
            scale = s;
            minimum = -l;
            return true;
        }

        private void weigh(float[] x, int from) {
            float squares = 0;
            for (int e = 0; e < 32; e++) {
                squares += x[from + e] * x[from + e];
            }
            float mean = (float) Math.sqrt(squares / 32);
            for (int e = 0; e < 32; e++) {
                weights[e] = mean + Math.abs(x[from + e]);
            }
        }

        private void round(float[] x, int from, float inverse, float low) {
            for (int e = 0; e < 32; e++) {
                trial[e] = Math.max(0, Math.min(most, nearest(inverse * (x[from + e] - low))));
            }
        }

        private float error(float[] x, int from, float s, float l) {
            float sum = 0;
            for (int e = 0; e < 32; e++) {
                float difference = s * trial[e] + l - x[from + e];
                sum += weights[e] * (difference * difference);
            }
            return sum;
        }
    }
}
