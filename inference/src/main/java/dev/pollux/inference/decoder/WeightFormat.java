package dev.pollux.inference.decoder;

/** How matrices are stored. */
public enum WeightFormat {
    /**
     * Exact where the kernel can represent the stored values, else rounded to 8 bits. Q4_1 and Q4_K have a real-valued minimum
     * for each block, which the kernel cannot represent. Their codes are kept in large models, with further columns for the
     * minima; small ones are as fast in 8 bits.
     *
     * <pre>
     * stored type                                                   form in the graph
     * float                                                         32-bit floats, exact
     * Q4_0, Q3_K, TQ1_0, TQ2_0, packed integers of 4 bits           4 bits, exact
     * Q8_0, Q6_K, Q5_0, IQ4_NL, IQ4_XS, MXFP4, packed integers      8 bits, exact
     * Q4_1, Q4_K, if the model has 2^28 of such weights             4 bits: codes exact, minima rounded to 8 bits
     * any other                                                     8 bits, rounded
     * </pre>
     */
    EXACT,
    /** 32-bit floats, whatever the checkpoint holds: exact, and the slowest. */
    FLOAT,
    /** 8 bits; bit for bit where {@link #EXACT} is exact. */
    BITS_8,
    /**
     * 4 bits, with embedding and head at 8 bits; Q4_0, Q3_K, TQ1_0, TQ2_0 and packed integers of 4 bits are kept bit for
     * bit, and the codes of Q4_1 and Q4_K.
     */
    BITS_4
}
