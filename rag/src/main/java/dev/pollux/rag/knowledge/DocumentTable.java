package dev.pollux.rag.knowledge;

import dev.pollux.internal.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/** The known documents of a source, with their versions and whether they were seen. <em>Not thread-safe: one thread at a time.</em> */
final class DocumentTable {

    /*
     * A source may have a million rows, and their ids would not fit the heap that an index of them needs. So an id is a key of
     * 128 bits of its SHA-256 and a version is 64 bits of it, in a table with open addressing: 24 bytes a slot, of which at
     * most half are used. Two ids of a million have the same key with probability 1.5e-27.
     */

    private static final int LEAST_SLOTS = 1 << 10;

    private long[] keys = new long[2 * LEAST_SLOTS]; // (slots, 2); 0, 0 is free
    private long[] versions = new long[LEAST_SLOTS]; // (slots); 0 of a document that was not known
    private BitSet seen = new BitSet();
    private int slots = LEAST_SLOTS;
    private int size;
    private int known;

    /** Adds a known document. */
    void know(String id, String version) {
        int slot = slot(id);
        versions[slot] = version(version);
        known++;
    }

    /** Number of known documents. */
    int known() {
        return known;
    }

    /** Whether a document was known before. */
    boolean isKnown(String id) {
        int slot = slot(id);
        return versions[slot] != 0;
    }

    /** Whether a document is known in this version. */
    boolean isKnown(String id, String version) {
        int slot = slot(id);
        return versions[slot] == version(version);
    }

    /** Marks a document as seen and returns whether it was not seen before. */
    boolean see(String id) {
        int slot = slot(id);
        boolean first = !seen.get(slot);
        seen.set(slot);
        return first;
    }

    boolean isSeen(String id) {
        int slot = slot(id);
        return seen.get(slot);
    }

    private static long version(String version) {
        long bits = ByteBuffer.wrap(Sha256.digest().digest(version.getBytes(StandardCharsets.UTF_8)))
                .getLong();
        return bits == 0 ? 1 : bits;
    }

    /** The slot of an id, which is added if it is new. */
    private int slot(String id) {
        ByteBuffer hash = ByteBuffer.wrap(Sha256.digest().digest(id.getBytes(StandardCharsets.UTF_8)));
        long high = hash.getLong();
        long low = hash.getLong() | 1; // never 0, 0
        if (2 * (size + 1) > slots) {
            grow();
        }
        int slot = find(high, low);
        if (keys[2 * slot + 1] == 0) {
            keys[2 * slot] = high;
            keys[2 * slot + 1] = low;
            size++;
        }
        return slot;
    }

    private int find(long high, long low) {
        int slot = (int) (high & slots - 1);
        while (keys[2 * slot + 1] != 0 && (keys[2 * slot] != high || keys[2 * slot + 1] != low)) {
            slot = slot + 1 & slots - 1;
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        long[] oldVersions = versions;
        BitSet oldSeen = seen;
        int oldSlots = slots;
        slots *= 2;
        keys = new long[2 * slots];
        versions = new long[slots];
        seen = new BitSet(slots);
        for (int i = 0; i < oldSlots; i++) {
            if (oldKeys[2 * i + 1] != 0) {
                int slot = find(oldKeys[2 * i], oldKeys[2 * i + 1]);
                keys[2 * slot] = oldKeys[2 * i];
                keys[2 * slot + 1] = oldKeys[2 * i + 1];
                versions[slot] = oldVersions[i];
                seen.set(slot, oldSeen.get(i));
            }
        }
    }
}
