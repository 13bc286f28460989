package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Block.Heading;
import java.util.ArrayList;
import java.util.List;

/**
 * A run of characters that is not split further.
 *
 * @param path the headings above it, the outermost first
 * @param section whether a section begins with it
 * @param apart whether it must not be merged with what is before it
 * @param size its tokens
 */
record Unit(int start, int end, List<Heading> path, boolean section, boolean apart, int size) {

    /** The same as the beginning of a section or not; a break keeps it apart. */
    Unit marked(boolean begins, boolean isBreak) {
        return new Unit(start, end, path, begins, isBreak || apart, size);
    }

    static int size(List<Unit> units) {
        return units.stream().mapToInt(Unit::size).sum();
    }

    /** The headings that are above all units. */
    static List<Heading> path(List<Unit> units) {
        List<Heading> path = units.get(0).path();
        for (Unit unit : units) {
            path = Part.common(path, unit.path());
        }
        return path;
    }

    /** The units by section. */
    static List<List<Unit>> sections(List<Unit> units) {
        List<List<Unit>> sections = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= units.size(); i++) {
            if (i == units.size() || units.get(i).section()) {
                sections.add(units.subList(from, i));
                from = i;
            }
        }
        return sections;
    }
}
