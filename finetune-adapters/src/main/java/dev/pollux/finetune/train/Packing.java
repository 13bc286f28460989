package dev.pollux.finetune.train;

/** How short rows share a row of the largest length. Each sees only its own tokens, so results are those without packing. */
public enum Packing {
    /** Each row by itself. */
    NONE,
    /** The longest first, each where the least room is left ({@code bfd}); longer rows are cut. */
    BEST_FIT,
    /** As {@link #BEST_FIT}, with longer rows in pieces ({@code bfd_split}). */
    SPLIT,
    /** In the order of the data, with rows in pieces where the room ends ({@code wrapped}). */
    WRAPPED;

    /** Whether rows are trained in pieces, so that none is cut. */
    boolean splits() {
        return this == SPLIT || this == WRAPPED;
    }
}
