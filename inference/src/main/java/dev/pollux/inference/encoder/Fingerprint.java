package dev.pollux.inference.encoder;

import dev.pollux.internal.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * Identifies everything that determines a vector: SHA-256 over the model, the tokenizer, the modules and the options.
 *
 * <p>Only sources are hashed. Derived files, such as a graph in the cache, may be missing or differ in bytes between
 * versions although the vectors are equal. {@link #VERSION} changes when equal sources and options produce different
 * vectors.
 */
final class Fingerprint {

    private static final String VERSION = "pollux-embedder-2";

    private final MessageDigest digest = Sha256.digest();

    private Fingerprint() {}

    /** @param tokenizer the text of {@code tokenizer.json} */
    static String of(ModelSource source, String tokenizer, EncoderConfig config, EmbedderOptions options) {
        Fingerprint print = new Fingerprint();
        print.add(VERSION);
        source.hash(print.digest);
        print.add(tokenizer);
        print.add(config.pooling().toString());
        print.add(config.queryPrefix());
        print.add(config.passagePrefix());
        print.add(config.promptPooled() + " " + config.lowerCase() + " " + config.maxTokens() + " "
                + config.firstPosition() + " " + config.padToken());
        config.layers().forEach(print::add);
        print.add(options.output().orElse("") + "\n" + options.normalize() + " " + options.longText());
        if (config.dimension().isPresent()) {
            print.add("dimension " + config.dimension().getAsInt());
        }
        if (options.longText() == LongText.WINDOWED) {
            print.add(Integer.toString(options.windowOverlap()));
        }
        return Sha256.hex(print.digest);
    }

    private void add(VectorLayer layer) {
        add(layer.getClass().getSimpleName());
        if (layer instanceof VectorLayer.Dense dense) {
            add(dense.activation().name() + " " + dense.residualIdentity());
            add(dense.weight());
            add(dense.bias());
            add(dense.residual());
        } else if (layer instanceof VectorLayer.LayerNorm norm) {
            add(norm.weight());
            add(norm.bias());
        }
    }

    private void add(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES));
        bytes.asFloatBuffer().put(values);
        digest.update(bytes);
    }

    /** A text with its length as a prefix, so that consecutive texts cannot be confused. */
    private void add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        digest.update(bytes);
    }
}
