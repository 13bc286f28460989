package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** A deterministic embedder without a model: a text is the sum of a random direction for each of its words. */
public final class HashingEmbedder implements Embedder {

    private final EmbedderInfo info;
    private final AtomicLong embedded = new AtomicLong();
    private final List<String> texts = Collections.synchronizedList(new ArrayList<>());

    /** With a fingerprint made of its parameters. */
    public HashingEmbedder(int dimension, int maxTokens) {
        this("hash-" + dimension, dimension, maxTokens);
    }

    public HashingEmbedder(String fingerprint, int dimension, int maxTokens) {
        info = new EmbedderInfo("hashing", fingerprint, dimension, maxTokens);
    }

    @Override
    public float[][] embed(List<String> batch, TextRole role) {
        float[][] rows = new float[batch.size()][]; // (texts, dimension)
        for (int i = 0; i < rows.length; i++) {
            if (countTokens(batch.get(i)) > info.maxTokens()) {
                throw new IllegalArgumentException("Too long: " + countTokens(batch.get(i)));
            }
            rows[i] = vector(batch.get(i));
        }
        if (role == TextRole.PASSAGE) {
            embedded.addAndGet(batch.size());
            texts.addAll(batch);
        }
        return rows;
    }

    /** How many passages have been embedded so far. */
    public long embedded() {
        return embedded.get();
    }

    /** The passages embedded so far, in order. */
    public List<String> texts() {
        return List.copyOf(texts);
    }

    private float[] vector(String text) {
        float[] sum = new float[info.dimension()];
        for (String word : (". " + text.toLowerCase(Locale.ROOT)).split("[^\\p{L}\\p{N}]+", -1)) {
            Random random = new Random(word.hashCode());
            for (int i = 0; i < sum.length; i++) {
                sum[i] += (float) random.nextGaussian();
            }
        }
        double norm = 0;
        for (float value : sum) {
            norm += value * value;
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] = (float) (sum[i] / Math.sqrt(norm));
        }
        return sum;
    }

    @Override
    public EmbedderInfo info() {
        return info;
    }

    /** Two special tokens and one a run of at most six letters, or a sign. */
    @Override
    public int countTokens(String text) {
        int tokens = 2;
        int run = 0;
        for (int i = 0; i < text.length(); i++) {
            boolean letter = Character.isLetterOrDigit(text.charAt(i));
            run = letter ? run + 1 : 0;
            if (!letter && !Character.isWhitespace(text.charAt(i)) || letter && run % 6 == 1) {
                tokens++;
            }
        }
        return tokens;
    }

    @Override
    public void close() {}
}
