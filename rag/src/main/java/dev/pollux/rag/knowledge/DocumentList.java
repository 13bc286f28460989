package dev.pollux.rag.knowledge;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** The ids and hashes of the documents of one source, and the hash of their list. <em>Not thread-safe: one thread at a time.</em> */
final class DocumentList {

    /*
     * A source may have a million documents. An entry is the id in UTF-16, whose bytes sort as its characters do, and the 32
     * bytes of the hash, in one array; a document as objects takes six times as much.
     */

    private static final int HASH = 32;

    private byte[] entries = new byte[1 << 10];
    private int[] ends = new int[1 << 5]; // (documents): end of each entry
    private int size;
    private long units;

    /** @param units number of UTF-16 units of the document's text */
    void add(String id, String hash, int units) {
        byte[] name = id.getBytes(StandardCharsets.UTF_16BE);
        byte[] digest = HexFormat.of().parseHex(hash);
        int begin = begin(size);
        int end = Math.addExact(begin, name.length + HASH);
        if (end > entries.length) {
            entries = Arrays.copyOf(entries, Math.max(end, entries.length + (entries.length >> 1)));
        }
        if (size == ends.length) {
            ends = Arrays.copyOf(ends, size + (size >> 1));
        }
        System.arraycopy(name, 0, entries, begin, name.length);
        System.arraycopy(digest, 0, entries, end - HASH, HASH);
        ends[size++] = end;
        this.units += units;
    }

    private int begin(int entry) {
        return entry == 0 ? 0 : ends[entry - 1];
    }

    /** Number of UTF-16 units of all texts. */
    long units() {
        return units;
    }

    /** The hash of the ids and hashes, in the order of the ids. */
    String hash() {
        Hashes.Sum sum = new Hashes.Sum();
        for (int entry : order()) {
            int end = ends[entry] - HASH;
            sum.add(new String(entries, begin(entry), end - begin(entry), StandardCharsets.UTF_16BE));
            sum.add(HexFormat.of().formatHex(entries, end, end + HASH));
        }
        return sum.hex();
    }

    /** The entries sorted by id: a merge sort of numbers, which makes no objects. */
    private int[] order() {
        int[] from = new int[size]; // (documents)
        for (int i = 0; i < size; i++) {
            from[i] = i;
        }
        int[] to = new int[size]; // (documents)
        for (long run = 1; run < size; run *= 2) {
            for (long low = 0; low < size; low += 2 * run) {
                int middle = (int) Math.min(low + run, size);
                merge(from, to, (int) low, middle, (int) Math.min(low + 2 * run, size));
            }
            int[] merged = to;
            to = from;
            from = merged;
        }
        return from;
    }

    private void merge(int[] from, int[] to, int low, int middle, int high) {
        int left = low;
        int right = middle;
        for (int i = low; i < high; i++) {
            boolean first = left < middle && (right == high || compare(from[left], from[right]) <= 0);
            to[i] = first ? from[left++] : from[right++];
        }
    }

    private int compare(int a, int b) {
        return Arrays.compareUnsigned(entries, begin(a), ends[a] - HASH, entries, begin(b), ends[b] - HASH);
    }
}
