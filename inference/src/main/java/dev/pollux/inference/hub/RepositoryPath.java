package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Validates the paths in a repository's file list, which are untrusted and become local paths. */
final class RepositoryPath {

    private static final int MAX_LENGTH = 1024;

    /** Names of devices on Windows, with any extension. */
    private static final Pattern DEVICE =
            Pattern.compile("(con|prn|aux|nul|com[0-9]|lpt[0-9])(\\..*)?", Pattern.CASE_INSENSITIVE);

    private RepositoryPath() {}

    /**
     * Rejects a path that leads out of its repository according to any file system. Git has no such paths, so the server has
     * forged it.
     *
     * @throws MalformedFileException if the path is rejected
     */
    static void requireInside(String path, String repository) {
        String folded = Normalizer.normalize(path, Normalizer.Form.NFKC);
        for (String reading : List.of(path, folded)) {
            String why = escape(reading);
            if (!why.isEmpty()) {
                throw refused(path, repository, why);
            }
        }
    }

    private static String escape(String path) {
        if (path.isEmpty() || path.length() > MAX_LENGTH) {
            return "it must have 1 to " + MAX_LENGTH + " characters";
        }
        if (path.indexOf('\\') >= 0) {
            return "it has a backslash";
        }
        if (path.startsWith("/") || path.matches("[A-Za-z]:.*")) {
            return "it is absolute";
        }
        for (String part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                return "its part '" + part + "' leads elsewhere";
            }
        }
        return "";
    }

    /**
     * Rejects paths that do not identify one file each on every file system: invisible characters, names of devices, two paths
     * that differ only in case, a path that is both a file and a folder.
     *
     * @throws MalformedFileException if a path is rejected
     */
    static void requirePlain(Collection<String> paths, String repository) {
        Map<String, String> files = new HashMap<>();
        Set<String> folders = new HashSet<>();
        for (String path : paths) {
            String why = oddity(path);
            if (!why.isEmpty()) {
                throw refused(path, repository, why);
            }
            String key = key(path);
            String before = files.putIfAbsent(key, path);
            if (before != null) {
                throw refused(path, repository, "many file systems take it for '" + shown(before) + "'");
            }
            for (int slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
                folders.add(key.substring(0, slash));
            }
        }
        for (Map.Entry<String, String> file : files.entrySet()) {
            if (folders.contains(file.getKey())) {
                throw refused(file.getValue(), repository, "it is a folder as well");
            }
        }
    }

    private static String key(String path) {
        return Normalizer.normalize(path, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    }

    private static String oddity(String path) {
        boolean visible = path.codePoints().noneMatch(c -> switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        });
        if (!visible) {
            return "it has invisible characters";
        }
        for (String part : path.split("/", -1)) {
            if (DEVICE.matcher(part).matches() || part.endsWith(".") || part.endsWith(" ") || part.startsWith(" ")) {
                return "'" + part + "' is not a valid file name on every platform";
            }
            if (part.chars().anyMatch(c -> ":*?\"<>|".indexOf(c) >= 0)) {
                return "'" + part + "' has one of the characters : * ? \" < > |";
            }
        }
        return "";
    }

    /**
     * Resolves {@code path} in {@code folder}.
     *
     * @throws MalformedFileException if the result is not below the folder, or the platform does not support the name
     */
    static Path resolve(Path folder, String path, String repository) {
        try {
            Path resolved = folder.resolve(path).normalize();
            if (!resolved.startsWith(folder.normalize()) || resolved.equals(folder.normalize())) {
                throw refused(path, repository, "it leads out of " + folder);
            }
            return resolved;
        } catch (InvalidPathException e) {
            throw refused(path, repository, "this system has no file of that name: " + e.getReason());
        }
    }

    private static MalformedFileException refused(String path, String repository, String why) {
        return new MalformedFileException("The file list of " + repository + " has the path '" + shown(path) + "': "
                + why + "; nothing of it is used");
    }

    /** An untrusted text for a message: at most 200 characters, with invisible ones escaped. */
    static String shown(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().limit(200).forEach(c -> {
            if (c >= 0x20 && c < 0x7f || Character.isLetterOrDigit(c)) {
                out.appendCodePoint(c);
            } else {
                out.append(String.format(Locale.ROOT, "\\u{%x}", c));
            }
        });
        return text.codePointCount(0, text.length()) > 200 ? out.append('…').toString() : out.toString();
    }
}
