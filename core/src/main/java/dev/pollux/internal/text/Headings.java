package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Follows the headings of a passage from its beginning on. <em>Confined to one thread.</em> */
public final class Headings {

    private final List<String> outside;
    private final List<Title> inside = new ArrayList<>();

    private record Title(int level, String text) {}

    /** @param outside the headings that hold for all of the passage; the last of them may stand in it */
    public Headings(List<String> outside) {
        this.outside = outside;
    }

    /**
     * The headings above what follows a heading, that one included, outermost first.
     *
     * @param heading on one line, without marks
     */
    public List<String> below(int level, String heading) {
        inside.removeIf(title -> title.level() >= level);
        inside.add(new Title(level, heading));
        List<String> titles = inside.stream().map(Title::text).toList();
        int shared = Math.min(outside.size(), titles.size());
        while (!outside.subList(outside.size() - shared, outside.size()).equals(titles.subList(0, shared))) {
            shared--;
        }
        List<String> path = new ArrayList<>(outside);
        path.addAll(titles.subList(shared, titles.size()));
        return Collections.unmodifiableList(path);
    }
}
