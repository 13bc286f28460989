package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.engine.PrefixStore.Scope;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a store gives back, and what it removes, with rows that only say whose they are. */
class PrefixStoreTest {

    private static final int BLOCK = PrefixStore.BLOCK;
    private static final int BYTES = 8;
    private static final Scope SCOPE = new Scope(null, ""); // no adapter is used

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    /** A block's rows: a hash of all tokens up to its end. */
    private static PrefixStore.Rows rows(int[] tokens) {
        return rows(tokens, 0);
    }

    /** The same of a sequence that has dropped the rows before {@code first}. */
    private static PrefixStore.Rows rows(int[] tokens, int first) {
        return new PrefixStore.Rows() {
            @Override
            public int first() {
                return first;
            }

            @Override
            public void write(int position, ByteBuffer block) {
                block.putLong(0, Arrays.hashCode(Arrays.copyOf(tokens, position + BLOCK)));
            }
        };
    }

    /** Tokens of a text of whole blocks: one number a block. */
    private static int[] text(int... blocks) {
        int[] tokens = new int[blocks.length * BLOCK];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = blocks[i / BLOCK] * 100 + i % BLOCK;
        }
        return tokens;
    }

    private static void put(PrefixStore store, int... blocks) {
        int[] tokens = text(blocks);
        store.put(tokens, tokens.length, SCOPE, rows(tokens));
    }

    /** The number of blocks that are found, after checking their rows. */
    private static int found(PrefixStore store, int... blocks) {
        int[] tokens = text(blocks);
        return store.copy(tokens, SCOPE, 0, tokens.length, (buffer, first) -> {
                    ByteBuffer due = ByteBuffer.allocate(BYTES).order(buffer.order());
                    rows(tokens).write(first, due);
                    assertThat(buffer.getLong(0)).isEqualTo(due.getLong(0));
                })
                / BLOCK;
    }

    @Test
    void aBlockIsNotStoredAfterItsRowsWereDropped() {
        PrefixStore store = new PrefixStore(BYTES, 100 * BYTES);
        int[] tokens = text(1, 2, 3, 4);
        store.put(tokens, 2 * BLOCK, SCOPE, rows(tokens, 0));
        store.put(tokens, tokens.length, SCOPE, rows(tokens, 2 * BLOCK)); // follows what is stored
        assertThat(found(store, 1, 2, 3, 4)).isEqualTo(4);
        int[] other = text(5, 6, 7);
        store.put(other, other.length, SCOPE, rows(other, BLOCK));
        assertThat(found(store, 5, 6, 7)).isZero();
    }

    @Test
    void textsThatBeginAlikeShareBlocks() {
        PrefixStore store = new PrefixStore(BYTES, 100 * BYTES);
        put(store, 1, 2, 3);
        put(store, 1, 2, 4, 5);
        assertThat(store.bytes()).isEqualTo(5 * BYTES);
        assertThat(found(store, 1, 2, 3, 9)).isEqualTo(3);
        assertThat(found(store, 1, 2, 4, 5)).isEqualTo(4);
        assertThat(found(store, 2, 1)).isZero();
    }

    @Test
    void onlyWholeBlocksAreStoredAndOnlyThoseAskedForAreGiven() {
        PrefixStore store = new PrefixStore(BYTES, 100 * BYTES);
        int[] tokens = text(1, 2, 3);
        store.put(tokens, 3 * BLOCK - 1, SCOPE, rows(tokens));
        assertThat(store.find(tokens, SCOPE, tokens.length)).isEqualTo(2 * BLOCK);
        assertThat(store.find(tokens, SCOPE, 2 * BLOCK - 1)).isEqualTo(BLOCK);
        List<Integer> given = new ArrayList<>();
        assertThat(store.copy(tokens, SCOPE, BLOCK + 3, tokens.length, (rows, first) -> given.add(first)))
                .isEqualTo(2 * BLOCK);
        assertThat(given).containsExactly(BLOCK);
    }

    @Test
    void scopesShareNothing() {
        PrefixStore store = new PrefixStore(BYTES, 100 * BYTES);
        put(store, 1, 2);
        assertThat(store.find(text(1, 2), new Scope(null, "other"), 2 * BLOCK)).isZero();
    }

    @Test
    void theLeafThatWasUsedLeastRecentlyMakesRoom() {
        PrefixStore store = new PrefixStore(BYTES, 4 * BYTES);
        put(store, 1, 2);
        put(store, 3, 4);
        assertThat(found(store, 1, 2)).isEqualTo(2);
        put(store, 5);
        assertThat(found(store, 1, 2)).isEqualTo(2);
        assertThat(found(store, 3, 4)).isEqualTo(1);
        assertThat(found(store, 5)).isEqualTo(1);
    }

    @Test
    void aBlockThatTakesLongToComputeOutlivesAnEqualOneNearTheBeginning() {
        PrefixStore store = new PrefixStore(BYTES, 70 * BYTES);
        int[] longText = new int[60];
        Arrays.setAll(longText, i -> i + 1);
        put(store, longText);
        for (int other = 1000; other < 1020; other++) { // each used once, after the long text
            put(store, other);
        }
        assertThat(found(store, longText)).isEqualTo(60);
    }

    @Test
    void whatIsPinnedStaysWhateverTheBudget() {
        PrefixStore store = new PrefixStore(BYTES, 2 * BYTES);
        int[] tokens = text(1, 2, 3);
        assertThat(store.pin(tokens, tokens.length, SCOPE, rows(tokens))).isEqualTo(3 * BLOCK);
        put(store, 4, 5);
        store.clear();
        assertThat(found(store, 1, 2, 3)).isEqualTo(3);
        assertThat(found(store, 4, 5)).isZero();
        store.unpin(tokens, tokens.length, SCOPE);
        assertThat(store.bytes()).isEqualTo(2 * BYTES);
        assertThat(found(store, 1, 2, 3)).isEqualTo(2);
        store.clear();
        assertThat(store.bytes()).isZero();
    }

    @Test
    void aBudgetOfNothingKeepsNothing() {
        PrefixStore store = new PrefixStore(BYTES, 0);
        put(store, 1, 2);
        assertThat(store.bytes()).isZero();
    }

    /** Random texts over few blocks: what is found has the right rows, and the budget holds. */
    @Test
    void rowsAreThoseOfTheirTextsWhateverWasStoredAndRemoved() {
        PrefixStore store = new PrefixStore(BYTES, 12 * BYTES);
        List<int[]> pinned = new ArrayList<>();
        for (int round = 0; round < 3000; round++) {
            int[] blocks = random.ints(1 + random.nextInt(6), 0, 3).toArray();
            int[] tokens = text(blocks);
            switch (random.nextInt(8)) {
                case 0 -> {
                    if (pinned.size() < 2) {
                        assertThat(store.pin(tokens, tokens.length, SCOPE, rows(tokens)))
                                .isEqualTo(tokens.length);
                        pinned.add(tokens);
                    }
                }
                case 1 -> {
                    if (!pinned.isEmpty()) {
                        int[] first = pinned.remove(0);
                        store.unpin(first, first.length, SCOPE);
                    }
                }
                case 2 -> store.release(store.hold(SCOPE));
                case 3, 4 -> found(store, blocks);
                default -> put(store, blocks);
            }
            for (int[] one : pinned) {
                assertThat(store.find(one, SCOPE, one.length))
                        .as("seed %d, round %d", seed, round)
                        .isEqualTo(one.length);
            }
            long most = 12L * BYTES; // of the budget, and of two pinned texts
            assertThat(store.bytes()).as("seed %d, round %d", seed, round).isBetween(0L, most);
        }
        pinned.forEach(one -> store.unpin(one, one.length, SCOPE));
        store.clear();
        assertThat(store.bytes()).as("seed %d", seed).isZero();
    }
}
