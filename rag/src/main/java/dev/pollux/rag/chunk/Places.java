package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Lines;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.util.ArrayList;
import java.util.List;

/** Computes the location of a range of characters of a document. */
final class Places {

    private final List<Place> places;
    private final Lines lines;

    /** @param places empty if the lines of the text are the locations */
    Places(List<Place> places, Lines lines) {
        this.places = places;
        this.lines = lines;
    }

    /** The location of the characters from {@code start} to {@code end}. */
    Location of(int start, int end) {
        if (places.isEmpty()) {
            return Location.lines(lines.at(start) + 1, lines.at(Math.max(start, end - 1)) + 1);
        }
        int index = at(start);
        Location location = places.get(index).location();
        while (++index < places.size() && places.get(index).start() < end) {
            location = location.union(places.get(index).location());
        }
        return location;
    }

    /** The index of the place of a character; characters before the first place belong to it. */
    private int at(int offset) {
        int low = 0;
        int high = places.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (places.get(middle).start() <= offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return Math.max(0, low - 1);
    }

    /** The parts, with those apart that are on another page or sheet than the part before, so that a citation can name it. */
    List<Part> apart(List<Part> parts) {
        List<Part> result = new ArrayList<>();
        for (Part part : parts) {
            boolean other = !places.isEmpty()
                    && !result.isEmpty()
                    && isElsewhere(result.get(result.size() - 1).start(), part.start());
            result.add(new Part(part.kind(), part.start(), part.end(), part.path(), part.apart() || other));
        }
        return result;
    }

    private boolean isElsewhere(int before, int next) {
        Location from = places.get(at(before)).location();
        Location to = places.get(at(next)).location();
        if (from instanceof Location.Cells a && to instanceof Location.Cells b) {
            return !a.sheet().equals(b.sheet());
        }
        return from instanceof Location.Pages && to instanceof Location.Pages && !from.equals(to);
    }
}
