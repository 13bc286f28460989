package dev.pollux.inference.quantize;

/** How matrices are stored. */
public enum WeightFormat {
    /**
     * As they are where the kernel holds them exactly (float as float; Q4_0, Q3_K, TQ1_0, TQ2_0 and packed integers of 4
     * bits at 4 bits; Q8_0, Q6_K, Q5_0, IQ4_NL, IQ4_XS, MXFP4 and packed integers at 8 bits), else rounded to 8 bits: no 4-bit format with a
     * real-valued minimum fits the kernel's 4-bit form.
     */
    EXACT,
    /** 32-bit floats, whatever the checkpoint holds: exact, and the slowest. */
    FLOAT,
    /** 8 bits; those of {@link #EXACT} bit for bit. */
    BITS_8,
    /** 4 bits, the embedding and head at 8; Q4_0, Q3_K, TQ1_0, TQ2_0 and packed integers of 4 bits bit for bit. */
    BITS_4
}
