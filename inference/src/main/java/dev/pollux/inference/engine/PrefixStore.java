package dev.pollux.inference.engine;

import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** Keys and values of the beginnings of texts, shared by all sequences of a model. <em>Thread-safe.</em> */
final class PrefixStore {

    /*
     * A tree of blocks for each scope. A block has the keys and values of BLOCK tokens, which follow those of its parent; so a path
     * from the root is the beginning of a text, and texts that begin alike share blocks. Blocks are found by their tokens, not by
     * a hash alone. A block never changes: sequences copy blocks in and copy new ones out, because attention needs the rows of a
     * sequence in one piece, and copying is some hundred times faster than computing.
     *
     * Only rows are stored that every sequence would compute with the same bits (DecoderSequence.exact). A block has the rows of all
     * layers, those with a sliding window too, so it is stored before a sequence drops such rows.
     *
     * Replacement is GreedyDual (Young, 1994): a block that is used gets the credit inflation + cost, the leaf with the least credit
     * is removed first, and its credit becomes the inflation. The cost is the time to compute a block again, which rises with its
     * position. Only leaves can be removed, and no block of a pinned path.
     *
     * Invariants, all guarded by one lock:
     *  1. bytes is the number of blocks in the trees times blockBytes, and at most the budget, except for pinned blocks.
     *  2. leaves contains exactly the blocks without children and pins. Their credits do not change while they are in it.
     *  3. A block's pins count the pinned paths that it is on and the users that keep it. Whoever keeps a block keeps its parents.
     */

    /** The tokens of a block. */
    static final int BLOCK = 16;

    /** The position at which a token takes twice the time of the first one, by measurements of models of 0.1 and 1 billion weights. */
    private static final double DOUBLE = 2048;

    /**
     * Sequences that may share.
     *
     * @param adapter the adapter that they compute with
     * @param tenant the host's name for those who may share; empty by default
     */
    record Scope(LoadedAdapter adapter, String tenant) {}

    /** The rows of a sequence. */
    interface Rows {

        /** The first position whose rows exist. */
        int first();

        /** Writes the rows of a block whose first token is at a position. */
        void write(int position, ByteBuffer block);
    }

    private final int blockBytes;
    private final long budget;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Scope, PrefixBlock> roots = new HashMap<>();
    private final TreeSet<PrefixBlock> leaves = new TreeSet<>(
            Comparator.<PrefixBlock>comparingDouble(block -> block.credit).thenComparingLong(block -> block.number));
    private final Deque<ByteBuffer> free = new ArrayDeque<>();
    private double inflation;
    private long bytes;
    private long numbers;

    /**
     * @param blockBytes the size of the keys and values of a block
     * @param budget the maximum number of bytes, except for pinned blocks
     */
    PrefixStore(int blockBytes, long budget) {
        this.blockBytes = blockBytes;
        this.budget = budget;
    }

    long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }

    int blockBytes() {
        return blockBytes;
    }

    /**
     * The number of leading tokens that are stored.
     *
     * @param most a limit of the result
     */
    int find(int[] tokens, Scope scope, int most) {
        lock.lock();
        try {
            return path(tokens, scope, most).size() * BLOCK;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives the blocks of the leading tokens that are stored, in order.
     *
     * @param first the first token that is wanted; blocks before it are not given
     * @param most a limit of the result
     * @param to receives the rows of a block and the position of its first token
     * @return the number of leading tokens that are stored; {@code first} if those are fewer
     */
    int copy(int[] tokens, Scope scope, int first, int most, ObjIntConsumer<ByteBuffer> to) {
        lock.lock();
        try {
            List<PrefixBlock> path = path(tokens, scope, most);
            path.forEach(this::use);
            for (PrefixBlock block : path) {
                if (block.depth + BLOCK > first) {
                    to.accept(block.rows, block.depth);
                }
            }
            return Math.max(first, path.size() * BLOCK);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Stores the leading tokens, as far as the budget allows.
     *
     * @param count the number of tokens that have been read; only whole blocks are stored
     * @param from where the rows are
     */
    void put(int[] tokens, int count, Scope scope, Rows from) {
        lock.lock();
        try {
            add(tokens, count, scope, from);
        } finally {
            lock.unlock();
        }
    }

    /** Stores the leading tokens, whatever the budget, and keeps them until {@link #unpin}. The number of tokens is returned. */
    int pin(int[] tokens, int count, Scope scope, Rows from) {
        lock.lock();
        try {
            List<PrefixBlock> held = new ArrayList<>(path(tokens, scope, count));
            held.forEach(this::hold);
            PrefixBlock last = held.isEmpty() ? root(scope) : held.get(held.size() - 1);
            try {
                while (canFollow(last, count, from)) {
                    trim(budget - blockBytes);
                    last = child(last, next(last, tokens), after(last, from));
                    hold(last);
                    held.add(last);
                }
            } catch (RuntimeException | Error e) {
                release(held);
                throw e;
            }
            return last.depth + last.tokens.length;
        } finally {
            lock.unlock();
        }
    }

    /** Ends a pin of the first {@code count} tokens. */
    void unpin(int[] tokens, int count, Scope scope) {
        lock.lock();
        try {
            for (PrefixBlock block : path(tokens, scope, count)) {
                leaves.remove(block);
                block.pins--;
                enlist(block);
            }
            trim(budget);
        } finally {
            lock.unlock();
        }
    }

    /** All blocks of a scope, parents before children, which are kept until {@link #release}. */
    List<PrefixBlock> hold(Scope scope) {
        lock.lock();
        try {
            List<PrefixBlock> all = blocks(scope);
            all.forEach(this::hold);
            return all;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Adds a block after another one, or takes the one that is there, and keeps it until {@link #release}.
     *
     * @param parent a block that is kept; absent for the first block of a text
     * @param tokens (BLOCK)
     * @param from writes the rows
     * @return empty if the budget has no room for it
     */
    Optional<PrefixBlock> hold(Scope scope, @Nullable PrefixBlock parent, int[] tokens, Consumer<ByteBuffer> from) {
        lock.lock();
        try {
            PrefixBlock before = parent == null ? root(scope) : parent;
            PrefixBlock block = before.children.get(new PrefixBlock.Tokens(tokens));
            if (block == null && !trim(budget - blockBytes)) {
                return Optional.empty();
            }
            if (block == null) {
                block = child(before, tokens, from);
            }
            hold(block);
            return Optional.of(block);
        } finally {
            lock.unlock();
        }
    }

    /** Ends the keeping of blocks. */
    void release(Collection<PrefixBlock> blocks) {
        lock.lock();
        try {
            for (PrefixBlock block : blocks) {
                block.pins--;
                enlist(block);
            }
        } finally {
            lock.unlock();
        }
    }

    private List<PrefixBlock> blocks(Scope scope) {
        List<PrefixBlock> all = new ArrayList<>();
        PrefixBlock root = roots.get(scope);
        if (root != null) {
            all.add(root);
            for (int i = 0; i < all.size(); i++) {
                all.addAll(all.get(i).children.values());
            }
            all.remove(0);
        }
        return all;
    }

    /** Removes all blocks that are not pinned. */
    void clear() {
        lock.lock();
        try {
            trim(0);
            free.clear();
        } finally {
            lock.unlock();
        }
    }

    /** Removes the blocks of an adapter, pinned or not. */
    void remove(LoadedAdapter adapter) {
        lock.lock();
        try {
            for (Scope scope : List.copyOf(roots.keySet())) {
                if (scope.adapter() == adapter) {
                    List<PrefixBlock> all = blocks(scope);
                    leaves.removeAll(all);
                    all.forEach(block -> free.add(block.rows));
                    bytes -= (long) all.size() * blockBytes;
                    roots.remove(scope);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private static boolean canFollow(PrefixBlock last, int count, Rows from) {
        int first = last.depth + last.tokens.length;
        return first >= from.first() && first + BLOCK <= count;
    }

    private void add(int[] tokens, int count, Scope scope, Rows from) {
        List<PrefixBlock> path = path(tokens, scope, count);
        path.forEach(this::hold); // so that making room does not remove what the next block follows
        List<PrefixBlock> held = new ArrayList<>(path);
        try {
            PrefixBlock last = path.isEmpty() ? root(scope) : path.get(path.size() - 1);
            while (canFollow(last, count, from) && trim(budget - blockBytes)) {
                last = child(last, next(last, tokens), after(last, from));
                hold(last);
                held.add(last);
            }
        } catch (OutOfMemoryError e) {
            free.clear(); // the texts that were read need the memory more than later ones; the state is as after
            // the last block
        } finally {
            for (PrefixBlock block : held) {
                block.pins--;
                credit(block);
                enlist(block);
            }
        }
    }

    private PrefixBlock root(Scope scope) {
        return roots.computeIfAbsent(scope, key -> new PrefixBlock(null, new int[0], Tensors.direct(0)));
    }

    /** The tokens of the block after {@code block}. */
    private static int[] next(PrefixBlock block, int[] tokens) {
        int first = block.depth + block.tokens.length;
        return Arrays.copyOfRange(tokens, first, first + BLOCK);
    }

    private static Consumer<ByteBuffer> after(PrefixBlock block, Rows from) {
        return rows -> from.write(block.depth + block.tokens.length, rows);
    }

    private PrefixBlock child(PrefixBlock parent, int[] ids, Consumer<ByteBuffer> from) {
        ByteBuffer rows = free.isEmpty() ? Tensors.direct(blockBytes) : free.pop();
        from.accept(rows);
        PrefixBlock block = new PrefixBlock(parent, ids, rows);
        credit(block);
        leaves.remove(parent);
        parent.children.put(new PrefixBlock.Tokens(ids), block);
        bytes += blockBytes;
        enlist(block);
        return block;
    }

    private List<PrefixBlock> path(int[] tokens, Scope scope, int most) {
        List<PrefixBlock> path = new ArrayList<>();
        PrefixBlock block = roots.get(scope);
        int limit = Math.min(most, tokens.length);
        for (int at = 0; block != null && at + BLOCK <= limit; at += BLOCK) {
            block = block.children.get(new PrefixBlock.Tokens(Arrays.copyOfRange(tokens, at, at + BLOCK)));
            if (block != null) {
                path.add(block);
            }
        }
        return path;
    }

    private void use(PrefixBlock block) {
        leaves.remove(block);
        credit(block);
        enlist(block);
    }

    private void credit(PrefixBlock block) {
        block.credit = inflation + cost(block);
        block.number = numbers++;
    }

    private void hold(PrefixBlock block) {
        leaves.remove(block);
        block.pins++;
    }

    private void enlist(PrefixBlock block) {
        if (block.parent != null && block.pins == 0 && block.children.isEmpty()) {
            leaves.add(block);
        }
    }

    private static double cost(PrefixBlock block) {
        return 1 + block.depth / DOUBLE;
    }

    /** Removes leaves until at most {@code most} bytes are used; false if that is impossible. */
    private boolean trim(long most) {
        while (bytes > most && !leaves.isEmpty()) {
            PrefixBlock least = leaves.pollFirst();
            inflation = least.credit;
            bytes -= blockBytes;
            free.push(least.rows);
            PrefixBlock parent = Objects.requireNonNull(least.parent);
            parent.children.remove(new PrefixBlock.Tokens(least.tokens));
            enlist(parent);
        }
        return bytes <= most;
    }
}
