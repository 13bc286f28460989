package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.ElementType;

/** How the keys and values of the tokens that were read are stored. */
public enum CacheFormat {
    /** 32-bit floats: the default, and the fastest. */
    FLOAT32(ElementType.FLOAT),
    /**
     * IEEE half precision, in half the memory; on the CPU only. On the embedded model a step of one token takes .9 to 1.24 times as
     * long at 128 to 4,096 tokens, one of two tokens about .8 times, a prompt .92 to 1 times. With weights in floats the logits hardly
     * change (Kullback–Leibler divergence 2e-6). With weights of 4 or 8 bits they change as with any other order of sums
     * (divergence .007), since activations are rounded to 8 bits.
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
