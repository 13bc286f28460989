package dev.pollux.rag.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Gives the chunks of a document their parents. */
final class ParentSections {

    /*
     * The parent of a chunk is the largest section around it that fits. Sections are those of the headings, found from the
     * top: a run of chunks that fits is one parent; otherwise it is divided at the first level of headings at which the
     * chunks differ; if there is none, it is a section that is too long, and it is divided evenly. A parent is a run of whole
     * chunks, so it begins and ends with one and overlaps no other parent.
     */

    private final List<Chunk> chunks;
    private final int[] sizes; // (chunks)
    private final int most;
    private final List<Chunk> children = new ArrayList<>();

    private ParentSections(List<Chunk> chunks, int[] sizes, int most) {
        this.chunks = chunks;
        this.sizes = sizes;
        this.most = most;
    }

    /**
     * The same chunks with their parents.
     *
     * @param sizes in tokens, (chunks)
     * @param most tokens of a parent
     */
    static List<Chunk> of(List<Chunk> chunks, int[] sizes, int most) {
        ParentSections sections = new ParentSections(chunks, sizes, most);
        sections.divide(0, chunks.size(), 0);
        return sections.children;
    }

    /** Makes parents of the chunks in [from, to), which have the same headings above {@code level}. */
    private void divide(int from, int to, int level) {
        if (from < to && size(from, to) <= most) {
            parent(from, to);
            return;
        }
        boolean differs = false;
        boolean deeper = false;
        for (int i = from; i < to; i++) {
            deeper |= chunks.get(i).headings().size() > level;
            differs |= !Objects.equals(heading(from, level), heading(i, level));
        }
        if (!differs && !deeper) {
            even(from, to);
            return;
        }
        int begin = from;
        for (int i = from + 1; i <= to; i++) {
            if (i == to || !Objects.equals(heading(begin, level), heading(i, level))) {
                divide(begin, i, level + 1);
                begin = i;
            }
        }
    }

    private String heading(int chunk, int level) {
        List<String> headings = chunks.get(chunk).headings();
        return level < headings.size() ? headings.get(level) : "";
    }

    private void even(int from, int to) {
        int total = size(from, to);
        int parts = (total + most - 1) / Math.max(1, most);
        double share = (double) total / Math.max(1, parts);
        int begin = from;
        int sum = 0;
        for (int i = from; i < to; i++) {
            boolean passed = sum + sizes[i] / 2.0 > share;
            if (i > begin && (passed || sum + sizes[i] > most)) {
                parent(begin, i);
                begin = i;
                sum = 0;
            }
            sum += sizes[i];
        }
        if (begin < to) {
            parent(begin, to);
        }
    }

    private void parent(int from, int to) {
        int start = chunks.get(from).start();
        int end = chunks.get(to - 1).end();
        chunks.subList(from, to).forEach(chunk -> children.add(chunk.in(start, end)));
    }

    private int size(int from, int to) {
        int size = 0;
        for (int i = from; i < to; i++) {
            size += sizes[i];
        }
        return size;
    }
}
