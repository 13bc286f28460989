package dev.pollux.inference.sampling;

import java.util.List;

/**
 * Cuts a text, which arrives in pieces, at the first stop string, and holds back text that may become one.
 *
 * <p>The text ends at the first character that completes a stop string; of several that it completes, the longest counts. So the
 * result does not depend on the pieces. <em>Not thread-safe: one thread at a time.</em>
 */
public final class StopFilter {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    private StopFilter(List<String> stops) {
        this.stops = stops;
    }

    /** Creates a filter for stop strings, none of them empty. */
    public static StopFilter of(List<String> stops) {
        return new StopFilter(List.copyOf(stops));
    }

    /** Whether a stop string was found. */
    public boolean stopped() {
        return stopped;
    }

    /** Adds a piece and returns the text that can be emitted. */
    public String push(String piece) {
        if (stopped) {
            return "";
        }
        held.append(piece);
        int cut = firstStop();
        if (cut >= 0) {
            stopped = true;
            return take(cut);
        }
        return take(held.length() - pendingPrefix());
    }

    /** Returns the held-back text at the end. */
    public String flush() {
        return stopped ? "" : take(held.length());
    }

    /** The index at which the stop string begins that is complete first; negative if none is. */
    private int firstStop() {
        int first = -1;
        int end = Integer.MAX_VALUE;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            int complete = at + stop.length();
            if (at >= 0 && (complete < end || complete == end && at < first)) {
                first = at;
                end = complete;
            }
        }
        return first;
    }

    /** The length of the longest suffix of the held text that is a proper prefix of a stop string. */
    private int pendingPrefix() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }

    private String take(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }
}
