package dev.pollux.quantization;

import java.util.List;

/**
 * The texts that a model is quantized on, and how a decoder reads them. <em>Immutable.</em>
 *
 * <p>A decoder reads the texts as one stream of tokens, cut into windows of equal length, of which some are chosen at random.
 * The same texts, tokenizer and seed give the same windows.
 *
 * @param texts texts of the kind that the model reads, whole documents if possible
 * @param windows the largest number of windows, in [1, 65536]; default 128
 * @param windowLength tokens of a window, in [16, 65536]; default 512. The context of the model limits it
 * @param seed chooses the windows; default 0
 * @param chat whether a model with a chat template reads the texts as messages of a conversation; default true
 */
public record CalibrationData(List<String> texts, int windows, int windowLength, long seed, boolean chat) {

    /** No texts. */
    public static final CalibrationData NONE = of(List.of());

    private static final int MOST = 1 << 16;
    private static final int SHORTEST = 16;

    public CalibrationData {
        texts = List.copyOf(texts);
        if (windows < 1 || windows > MOST) {
            throw new IllegalArgumentException("windows must be in [1, " + MOST + "] but was " + windows);
        }
        if (windowLength < SHORTEST || windowLength > MOST) {
            throw new IllegalArgumentException(
                    "windowLength must be in [" + SHORTEST + ", " + MOST + "] but was " + windowLength);
        }
    }

    /** Texts with the defaults. */
    public static CalibrationData of(List<String> texts) {
        return new CalibrationData(texts, 128, 512, 0, true);
    }

    /** The same texts in other windows. */
    public CalibrationData withWindows(int count, int length) {
        return new CalibrationData(texts, count, length, seed, chat);
    }

    /** The same texts with another choice of windows. */
    public CalibrationData withSeed(long value) {
        return new CalibrationData(texts, windows, windowLength, value, chat);
    }

    /** The same texts, read as conversations or as they are. */
    public CalibrationData withChat(boolean value) {
        return new CalibrationData(texts, windows, windowLength, seed, value);
    }

    /** Whether there are no texts. */
    public boolean isEmpty() {
        return texts.isEmpty();
    }

    /** A short description. */
    @Override
    public String toString() {
        return "CalibrationData[" + texts.size() + " texts, windows=" + windows + ", windowLength=" + windowLength
                + ", seed=" + seed + ", chat=" + chat + "]";
    }
}
