package dev.pollux.inference.template;

import java.util.Arrays;

/** Where the lines of a text begin. <em>Immutable.</em> */
final class Lines {

    private final int[] begins;

    Lines(String text) {
        int[] found = new int[16];
        int count = 1;
        for (int i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
            if (count == found.length) {
                found = Arrays.copyOf(found, count * 2);
            }
            found[count++] = i + 1;
        }
        begins = Arrays.copyOf(found, count);
    }

    Position position(int offset) {
        int found = Arrays.binarySearch(begins, offset);
        int line = found >= 0 ? found : -found - 2;
        return new Position(line + 1, offset - begins[line] + 1);
    }
}
