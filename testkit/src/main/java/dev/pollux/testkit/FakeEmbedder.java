package dev.pollux.testkit;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.OpenHandle;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An embedder without a model: words hashed into a vector with a sign, so that texts which share words are near and all
 * others are nearly at right angles. Equal on every machine.
 *
 * <p>A word of up to three letters counts a quarter, as most of them are articles and prepositions. A token is a word;
 * two more stand for the special tokens of a real model. <em>Thread-safe.</em>
 */
public final class FakeEmbedder implements Embedder {

    private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");
    private static final int SPECIAL_TOKENS = 2;

    private final EmbedderInfo info;
    private final OpenHandle handle = OpenHandle.of("FakeEmbedder");
    private final AtomicLong embedded = new AtomicLong();
    private volatile boolean closed;

    private FakeEmbedder(EmbedderInfo info) {
        this.info = info;
    }

    /** One of 256 dimensions that reads 512 tokens. */
    public static FakeEmbedder open() {
        return open(256, 512);
    }

    /** One of this dimension and limit. */
    public static FakeEmbedder open(int dimension, int maxTokens) {
        return new FakeEmbedder(
                new EmbedderInfo("fake " + dimension, "fake-" + dimension + "-" + maxTokens, dimension, maxTokens));
    }

    /** How many texts have been embedded so far. */
    public long textsEmbedded() {
        return embedded.get();
    }

    @Override
    public float[][] embed(List<String> texts, TextRole role) {
        if (closed) {
            throw new IllegalStateException("The embedder is closed; open another");
        }
        Interrupts.check();
        for (String text : texts) {
            int tokens = countTokens(text);
            if (tokens > info.maxTokens()) {
                throw new IllegalArgumentException(
                        "A text has " + tokens + " tokens but the model reads " + info.maxTokens() + "; split it");
            }
        }
        embedded.addAndGet(texts.size());
        return texts.stream().map(this::vector).toArray(float[][]::new);
    }

    @Override
    public EmbedderInfo info() {
        return info;
    }

    @Override
    public int countTokens(String text) {
        return (int) WORD.matcher(text).results().count() + SPECIAL_TOKENS;
    }

    @Override
    public void close() {
        closed = true;
        handle.close();
    }

    private float[] vector(String text) { // returns (dimension)
        double[] sum = new double[info.dimension()]; // (dimension)
        sum[0] = 0.1; // a text without words has a direction too
        Matcher words = WORD.matcher(text.toLowerCase(Locale.ROOT));
        while (words.find()) {
            int hash = mixed(words.group().hashCode());
            double weight = words.end() - words.start() <= 3 ? 0.25 : 1;
            sum[Math.floorMod(hash, info.dimension())] += (hash >>> 31 == 0 ? weight : -weight);
        }
        double squares = 0;
        for (double x : sum) {
            squares += x * x;
        }
        float[] vector = new float[info.dimension()]; // (dimension)
        if (squares == 0) {
            vector[0] = 1;
            return vector;
        }
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (sum[i] / Math.sqrt(squares));
        }
        return vector;
    }

    /** Spreads the bits of a string's hash; the finalizer of MurmurHash3 (Appleby, public domain). */
    private static int mixed(int hash) {
        int h = hash;
        h = (h ^ h >>> 16) * 0x85ebca6b;
        h = (h ^ h >>> 13) * 0xc2b2ae35;
        return h ^ h >>> 16;
    }
}
