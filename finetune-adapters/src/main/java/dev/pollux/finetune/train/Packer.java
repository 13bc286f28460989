package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Puts sequences into rows of a largest length, as TRL does. */
final class Packer {

    /*
     * Best fit decreasing (Ding et al., arXiv:2404.10830): sequences in falling order of length, those of one length in their order,
     * each into the row with the least room that suffices, the oldest of equal ones. The room of open rows is a sorted map.
     */

    private Packer() {}

    /**
     * Rows of sequences.
     *
     * @param sequences for {@link Packing#BEST_FIT} of at most {@code capacity} tokens
     * @param capacity the largest number of tokens of a row
     */
    static List<List<Sequence>> pack(List<Sequence> sequences, int capacity, Packing packing) {
        return switch (packing) {
            case NONE -> sequences.stream().map(List::of).toList();
            case BEST_FIT -> bestFit(sequences, capacity);
            case SPLIT -> bestFit(pieces(sequences, capacity), capacity);
            case WRAPPED -> wrapped(sequences, capacity);
        };
    }

    private static List<Sequence> pieces(List<Sequence> sequences, int capacity) {
        List<Sequence> pieces = new ArrayList<>();
        for (Sequence one : sequences) {
            for (int from = 0; from < one.ids().length; from += capacity) {
                pieces.add(part(one, from, Math.min(one.ids().length, from + capacity)));
            }
        }
        return pieces;
    }

    private static Sequence part(Sequence one, int from, int end) {
        return new Sequence(Arrays.copyOfRange(one.ids(), from, end), Arrays.copyOfRange(one.isTarget(), from, end));
    }

    private static List<List<Sequence>> bestFit(List<Sequence> sequences, int capacity) {
        List<List<Sequence>> rows = new ArrayList<>();
        TreeMap<Integer, Deque<List<Sequence>>> byRoom = new TreeMap<>();
        List<Sequence> byLength = new ArrayList<>(sequences);
        byLength.sort(
                Comparator.comparingInt((Sequence one) -> one.ids().length).reversed());
        for (Sequence one : byLength) {
            int length = one.ids().length;
            Map.Entry<Integer, Deque<List<Sequence>>> fitting = byRoom.ceilingEntry(length);
            List<Sequence> row;
            int room;
            if (fitting == null) {
                row = new ArrayList<>();
                room = capacity;
                rows.add(row);
            } else {
                room = fitting.getKey();
                row = fitting.getValue().removeFirst();
                if (fitting.getValue().isEmpty()) {
                    byRoom.remove(room);
                }
            }
            row.add(one);
            byRoom.computeIfAbsent(room - length, key -> new ArrayDeque<>()).add(row);
        }
        return rows;
    }

    private static List<List<Sequence>> wrapped(List<Sequence> sequences, int capacity) {
        List<List<Sequence>> rows = new ArrayList<>();
        int room = 0;
        for (Sequence one : sequences) {
            for (int from = 0; from < one.ids().length; ) {
                if (room == 0) {
                    rows.add(new ArrayList<>());
                    room = capacity;
                }
                int end = Math.min(one.ids().length, from + room);
                rows.get(rows.size() - 1).add(part(one, from, end));
                room -= end - from;
                from = end;
            }
        }
        return rows;
    }
}
