package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.ElementType;

/** How keys and values of the tokens that were read are stored. */
public enum CacheFormat {
    /** 32-bit floats, the default and the fastest. */
    FLOAT32(ElementType.FLOAT),
    /** IEEE half precision. */
    FLOAT16(ElementType.FLOAT16);

    private final ElementType type;

    CacheFormat(ElementType type) {
        this.type = type;
    }

    ElementType type() {
        return type;
    }
}
