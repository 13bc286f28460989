package dev.pollux.inference.encoder.export;

/** How an exported encoder stores the matrices of its linear layers. All other weights are 32-bit floats. */
public enum EncoderWeights {
    /** 32-bit floats for any checkpoint type: exact. */
    FLOAT("float"),
    /**
     * 8 bits, rounded to nearest with one scale per row, at a quarter of the size. Each product rounds activations to 8
     * bits with one scale per run. Embedders and rerankers run one text at a time, so results do not depend on other texts;
     * in a batch they would. It is faster on x86 processors with VNNI. On older ones sums of extreme products saturate, as
     * in any dynamically quantized ONNX model.
     */
    BITS_8("bits8");

    private final String key;

    EncoderWeights(String key) {
        this.key = key;
    }

    /** Its part of the cache key. */
    String key() {
        return key;
    }
}
