package dev.pollux.rag.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A path pattern with the syntax of gitignore(5). <em>Immutable.</em> */
final class PathPattern {

    /*
     * A pattern is split at its slashes. Without a slash before its end it matches at any depth. Each part is matched
     * against the name of one folder or file:
     *
     *   *       any characters      [a-z] [!a-z] [^a-z] [[:digit:]]   one of a set, or one that is not
     *   ?       one character       \c                                c itself
     *   **      any number of folders, none included; at the end: everything below
     *
     * Parts are matched by the set of reachable positions. Within a part, only the last star is backtracked. For every
     * pattern, time = O(length of pattern · length of path).
     */

    private static final String ANY_FOLDERS = "**";

    private final boolean negated;
    private final boolean foldersOnly;
    private final List<String> parts;

    private PathPattern(boolean negated, boolean foldersOnly, List<String> parts) {
        this.negated = negated;
        this.foldersOnly = foldersOnly;
        this.parts = parts;
    }

    /** Parses a line; absent for an empty line, a comment, or a pattern that can match nothing. */
    static Optional<PathPattern> of(String line) {
        String text = withoutTrailingSpaces(line);
        boolean negated = text.startsWith("!");
        String path = negated ? text.substring(1) : text;
        boolean foldersOnly = path.endsWith("/");
        path = foldersOnly ? path.substring(0, path.length() - 1) : path;
        if (text.startsWith("#") || path.isEmpty()) {
            return Optional.empty();
        }
        List<String> parts = new ArrayList<>();
        if (path.indexOf('/') < 0) {
            parts.add(ANY_FOLDERS);
        }
        for (String part : (path.startsWith("/") ? path.substring(1) : path).split("/", -1)) {
            if (!part.equals(ANY_FOLDERS)
                    || parts.isEmpty()
                    || !parts.get(parts.size() - 1).equals(ANY_FOLDERS)) {
                parts.add(part);
            }
        }
        return Optional.of(new PathPattern(negated, foldersOnly, List.copyOf(parts)));
    }

    /** Removes trailing spaces unless a backslash escapes them. */
    private static String withoutTrailingSpaces(String line) {
        int end = line.length();
        while (end > 0 && line.charAt(end - 1) == ' ' && !(end > 1 && line.charAt(end - 2) == '\\')) {
            end--;
        }
        return line.substring(0, end);
    }

    /** Whether the pattern is negated: a match includes the path again. */
    boolean negated() {
        return negated;
    }

    /** Whether the pattern names a file or a file type and does not match everything. */
    boolean isSpecific() {
        String last = parts.get(parts.size() - 1);
        return last.chars().anyMatch(c -> c != '*' && c != '?');
    }

    /**
     * Whether it matches a path.
     *
     * @param path the names from the pattern's folder down to the file or folder
     * @param folder whether the path is a folder
     */
    boolean matches(List<String> path, boolean folder) {
        if (foldersOnly && !folder) {
            return false;
        }
        boolean[] reached = new boolean[path.size() + 1]; // (names + 1): by the parts so far
        reached[0] = true;
        for (int i = 0; i < parts.size(); i++) {
            reached = parts.get(i).equals(ANY_FOLDERS)
                    ? afterAnyFolders(reached, i == parts.size() - 1)
                    : afterName(reached, parts.get(i), path);
        }
        return reached[path.size()];
    }

    private static boolean[] afterAnyFolders(boolean[] reached, boolean last) {
        boolean[] next = new boolean[reached.length];
        boolean before = false;
        for (int i = 0; i < reached.length; i++) {
            next[i] = before || reached[i] && !last;
            before |= reached[i];
        }
        return next;
    }

    private static boolean[] afterName(boolean[] reached, String part, List<String> path) {
        boolean[] next = new boolean[reached.length];
        for (int i = 0; i < path.size(); i++) {
            next[i + 1] = reached[i] && NamePattern.matches(part, path.get(i));
        }
        return next;
    }
}
