package dev.pollux.finetune.internal.training;

import java.util.List;

/**
 * Texts of an encoder in one run, padded to the longest. <em>Immutable.</em>
 *
 * @param count of texts
 * @param length tokens of a padded text
 * @param ids (count, length)
 * @param mask 1 for tokens, 0 for padding, (count, length)
 * @param types (count, length)
 */
public record TextBatch(int count, int length, long[] ids, long[] mask, long[] types) {

    /**
     * A text.
     *
     * @param ids (tokens)
     * @param types (tokens)
     */
    public record Text(int[] ids, int[] types) {}

    /** Texts in order. */
    public static TextBatch of(List<Text> texts) {
        int length = texts.stream().mapToInt(text -> text.ids.length).max().orElse(1);
        long[] ids = new long[Math.multiplyExact(texts.size(), length)];
        long[] mask = new long[ids.length];
        long[] types = new long[ids.length];
        for (int i = 0; i < texts.size(); i++) {
            Text text = texts.get(i);
            for (int j = 0; j < text.ids.length; j++) {
                ids[i * length + j] = text.ids[j];
                types[i * length + j] = text.types[j];
                mask[i * length + j] = 1;
            }
        }
        return new TextBatch(texts.size(), length, ids, mask, types);
    }
}
