package dev.pollux.inference.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keys and values of some tokens of a text, in the tree of a {@link PrefixStore}, whose lock guards it; the rows never change. */
final class PrefixBlock {

    final @Nullable PrefixBlock parent;
    final int[] tokens; // (PrefixStore.BLOCK), empty for a root
    final ByteBuffer rows;
    final int depth; // the number of tokens before it
    final Map<Tokens, PrefixBlock> children = new HashMap<>();
    double credit;
    long number; // of its last use; decides between equal credits
    int pins;

    PrefixBlock(@Nullable PrefixBlock parent, int[] tokens, ByteBuffer rows) {
        this.parent = parent;
        this.tokens = tokens;
        this.rows = rows;
        this.depth = parent == null ? 0 : parent.depth + parent.tokens.length;
    }

    /** The key of a block below its parent. */
    record Tokens(int[] ids) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Tokens that && Arrays.equals(ids, that.ids);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(ids);
        }
    }

    /** The block before it; a root for the first of a text. */
    @Nullable
    PrefixBlock parent() {
        return parent;
    }

    int[] tokens() {
        return tokens;
    }

    ByteBuffer rows() {
        return rows;
    }
}
