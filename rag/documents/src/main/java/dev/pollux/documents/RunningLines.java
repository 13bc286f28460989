package dev.pollux.documents;

import dev.pollux.documents.Segment.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Removes the headers and footers of pages: lines at the edge that most pages have, apart from numbers. */
final class RunningLines {

    /** So many rows at the top and at the bottom of a page may be such lines. */
    private static final int EDGE = 3;

    private static final int MOST_PART = 4;
    private static final double MOST_PAGES = 0.5;
    private static final int LEAST_PAGES = 2;

    private RunningLines() {}

    /** The pages without such lines. */
    static List<List<Row>> without(List<List<Row>> pages) {
        Map<String, Integer> counts = new HashMap<>();
        for (List<Row> page : pages) {
            Set<String> here = new HashSet<>();
            for (int i = 0; i < page.size(); i++) {
                if (isEdge(i, page.size())) {
                    here.add(key(page.get(i)));
                }
            }
            here.forEach(line -> counts.merge(line, 1, Integer::sum));
        }
        long filled = pages.stream().filter(page -> !page.isEmpty()).count();
        List<List<Row>> cleaned = new ArrayList<>();
        for (List<Row> page : pages) {
            int first = 0;
            int last = page.size();
            int most = Math.min(EDGE, page.size() / MOST_PART); // of a page with few lines, most are no headers
            while (first < last && first < most && isRunning(page.get(first), counts, filled)) {
                first++;
            }
            while (last > first && page.size() - last < most && isRunning(page.get(last - 1), counts, filled)) {
                last--;
            }
            cleaned.add(page.subList(first, last));
        }
        return cleaned;
    }

    private static boolean isEdge(int index, int rows) {
        return index < EDGE || index >= rows - EDGE;
    }

    private static boolean isRunning(Row row, Map<String, Integer> counts, long pages) {
        int count = counts.getOrDefault(key(row), 0);
        return count >= LEAST_PAGES && count > MOST_PAGES * pages;
    }

    /** The text without its numbers, at its height. */
    private static String key(Row row) {
        return row.text().replaceAll("\\d+|\\b[ivxlc]+\\b", "#") + "@" + Math.round(row.baseline() / 4);
    }
}
