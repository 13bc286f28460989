package dev.pollux.rag.chunk;

import java.util.Map;
import java.util.TreeMap;

/** Where fenced code stands in a text. <em>Confined to one thread.</em> */
final class Fences {

    /** Lines from {@code opening} on to {@code end}, exclusive; the code is between the first and the last. */
    private record Range(int end, String mark) {}

    private final TreeMap<Integer, Range> ranges = new TreeMap<>(); // by the line that opens

    void add(int opening, int end, String mark) {
        ranges.put(opening, new Range(end, mark));
    }

    /** The mark of the code that the beginning of a line is in; empty where it is in none. */
    String at(int line) {
        Map.Entry<Integer, Range> before = ranges.lowerEntry(line);
        return before != null && line < before.getValue().end()
                ? before.getValue().mark()
                : "";
    }
}
