package dev.pollux.inference.encoder.export;

/** How an exported encoder holds the matrices of its linear layers; everything else is 32-bit floats. */
public enum EncoderWeights {
    /** 32-bit floats, whatever the checkpoint holds: exact. */
    FLOAT("float"),
    /**
     * 8 bits, rounded to nearest with one scale a row; activations are rounded to 8 bits in each product, with one scale for
     * all rows of a run. A run of one text, as embedders and rerankers make it, does not depend on others; a batch would. A
     * quarter of the size, and faster on x86 processors with VNNI; on older ones sums of extreme products saturate, as in
     * every dynamically quantized ONNX model.
     */
    BITS_8("bits8");

    private final String key;

    EncoderWeights(String key) {
        this.key = key;
    }

    /** Its part of a name in the cache. */
    String key() {
        return key;
    }
}
