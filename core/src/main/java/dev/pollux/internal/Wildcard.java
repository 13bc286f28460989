package dev.pollux.internal;

/** Patterns of names in which {@code *} stands for any characters. */
public final class Wildcard {

    private Wildcard() {}

    /** Whether a pattern matches the whole of {@code name}. */
    public static boolean matches(String pattern, String name) {
        String[] parts = pattern.split("\\*", -1);
        if (parts.length == 1) {
            return name.equals(pattern);
        }
        int at = parts[0].length();
        int end = name.length() - parts[parts.length - 1].length();
        if (!name.startsWith(parts[0]) || !name.endsWith(parts[parts.length - 1]) || end < at) {
            return false;
        }
        for (int i = 1; i < parts.length - 1; i++) {
            int found = name.indexOf(parts[i], at);
            if (found < 0 || found + parts[i].length() > end) {
                return false;
            }
            at = found + parts[i].length();
        }
        return true;
    }
}
