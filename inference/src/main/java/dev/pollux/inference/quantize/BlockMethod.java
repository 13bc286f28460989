package dev.pollux.inference.quantize;

/** Chooses codes, scale and zero point of blocks. <em>Immutable, thread-safe.</em> */
@FunctionalInterface
interface BlockMethod {

    /** Fills in the results of every lane of {@code panel}. */
    void code(BlockPanel panel);
}
