package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Block.Heading;
import dev.pollux.internal.text.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The parts of source code: its declarations and the lines between them. */
final class CodeParts {

    /** Declarations inside a function are not parts: a type, its members and the members of inner types are. */
    private static final int DEEPEST = 3;

    private CodeParts() {}

    /** Adjacent parts with the whole text; headings are the names of the declarations around a part. */
    static List<Part> of(Reading reading, String mediaType) {
        List<Declaration> declarations = Declarations.of(reading.text(), mediaType, reading.lines()).stream()
                .filter(declaration ->
                        declaration.depth() <= DEEPEST && !declaration.kind().equals("package"))
                .toList();
        TreeSet<Integer> starts = new TreeSet<>(); // index of the first line of each part
        starts.add(0);
        for (Declaration declaration : declarations) {
            starts.add(declaration.firstLine() - 1);
            if (declaration.lastLine() < reading.lines().count()) {
                starts.add(declaration.lastLine());
            }
        }
        List<Part> parts = new ArrayList<>();
        Integer first = 0;
        while (first != null) {
            Integer next = starts.higher(first);
            int start = reading.lines().start(first);
            int end = next == null ? reading.text().length() : reading.lines().start(next);
            add(parts, new Part(Part.Kind.LINES, start, end, path(declarations, first, reading), false), reading);
            first = next;
        }
        return parts;
    }

    /** A blank part belongs to the one before it. */
    private static void add(List<Part> parts, Part part, Reading reading) {
        boolean blank = reading.text().substring(part.start(), part.end()).isBlank();
        if (blank && !parts.isEmpty()) {
            Part last = parts.remove(parts.size() - 1);
            parts.add(new Part(last.kind(), last.start(), part.end(), last.path(), last.apart()));
        } else if (!blank) {
            parts.add(part);
        }
    }

    private static List<Heading> path(List<Declaration> declarations, int line, Reading reading) {
        List<Heading> path = new ArrayList<>();
        for (Declaration declaration : declarations) {
            if (declaration.firstLine() - 1 <= line && line < declaration.lastLine()) {
                int start = reading.lines().start(declaration.firstLine() - 1);
                path.add(new Heading(declaration.depth() + 1, declaration.name(), start));
            }
        }
        return path;
    }
}
