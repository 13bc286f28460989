package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.ElementType;

/** How the keys and values of the tokens that were read are stored. */
public enum CacheFormat {
    /** 32-bit floats: the default, and the fastest. */
    FLOAT32(ElementType.FLOAT),
    /**
     * IEEE half precision, in half the memory; on the CPU only. Attention takes 1.2 to 1.7 times as long. With weights in floats the
     * logits of the embedded model hardly change (Kullback–Leibler divergence 2e-6). With weights of 4 or 8 bits they change as
     * with any other order of sums, since activations are rounded to 8 bits.
     */
    FLOAT16(ElementType.FLOAT16);

    private final ElementType type;

    CacheFormat(ElementType type) {
        this.type = type;
    }

    ElementType type() {
        return type;
    }
}
