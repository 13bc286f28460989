package dev.pollux.internal.text;

import java.util.Arrays;

/** Where the lines of a text begin; a line ends with {@code \n}, {@code \r\n} or {@code \r}. */
public final class Lines {

    private final String text;
    private final int[] starts; // (count)
    private final int count;

    public Lines(String text) {
        this.text = text;
        int[] found = new int[16];
        int n = 1;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' && (i + 1 == text.length() || text.charAt(i + 1) != '\n')) {
                if (n == found.length) {
                    found = Arrays.copyOf(found, n * 2);
                }
                found[n++] = i + 1;
            }
        }
        starts = found;
        count = n;
    }

    public int count() {
        return count;
    }

    /** First character of line {@code index}, from 0. */
    public int start(int index) {
        return starts[index];
    }

    /** One past the last character of the line, its line break left out. */
    public int end(int index) {
        int end = next(index);
        while (end > starts[index] && (text.charAt(end - 1) == '\n' || text.charAt(end - 1) == '\r')) {
            end--;
        }
        return end;
    }

    /** One past the last character of the line, its line break included. */
    public int next(int index) {
        return index + 1 < count ? starts[index + 1] : text.length();
    }

    /** The line without its line break. */
    public String line(int index) {
        return text.substring(start(index), end(index));
    }

    /** The index of the line that contains a character. */
    public int at(int offset) {
        int index = Arrays.binarySearch(starts, 0, count, offset);
        return index >= 0 ? index : -index - 2;
    }
}
