package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A key of {@code alpha_pattern}, a Python regular expression. PEFT matches {@code (.*\.)?(key)$} from the beginning of a
 * module's name.
 *
 * <p>The key comes from an untrusted file, and matching can take exponential time. Its length, its counted repetitions
 * (which may repeat nothing) and the characters read by a match are therefore bounded. <em>Immutable.</em>
 */
final class ModulePattern {

    static final int MAX_LENGTH = 1000;

    private static final int MAX_READS = 1 << 20;
    private static final int MAX_COUNTED = 3;
    private static final Pattern COUNTED = Pattern.compile("(?<!\\\\)\\{[0-9,]+}");
    private static final Pattern LARGE_COUNT = Pattern.compile("(?<!\\\\)\\{[0-9,]*[0-9]{3}[0-9,]*}");
    private static final Pattern NAMED_GROUP = Pattern.compile("\\(\\?P<[A-Za-z_][A-Za-z0-9_]*>");

    private final String of;
    private final String key;
    private final Pattern pattern;

    /** @param of the beginning of messages, such as {@code The adapter x has alpha_pattern} */
    ModulePattern(String of, String key) {
        this.of = of;
        this.key = key;
        if (key.length() > MAX_LENGTH) {
            throw refused("is longer than " + MAX_LENGTH + " characters");
        }
        if (LARGE_COUNT.matcher(key).find() || COUNTED.matcher(key).results().count() > MAX_COUNTED) {
            throw refused("has more than " + MAX_COUNTED + " counted repetitions or one above 99");
        }
        try {
            String java = NAMED_GROUP.matcher(key).replaceAll("(").replace("\\Z", "\\z");
            pattern = Pattern.compile("(?:.*\\.)?(?:" + java + ")$");
        } catch (PatternSyntaxException e) {
            throw refused("is not a regular expression: " + e.getDescription());
        } catch (StackOverflowError e) {
            throw refused("is nested too deeply");
        }
    }

    boolean matches(String module) {
        if (module.length() > MAX_LENGTH) {
            throw refused("cannot be matched with a module's name of more than " + MAX_LENGTH + " characters");
        }
        try {
            return pattern.matcher(new Counted(module, new int[] {MAX_READS})).lookingAt();
        } catch (TooLong e) {
            throw refused("takes too long to match " + module);
        } catch (StackOverflowError e) {
            throw refused("is nested too deeply");
        }
    }

    private MalformedFileException refused(String why) {
        String shown = key.length() > 100 ? key.substring(0, 100) + "…" : key;
        return new MalformedFileException(
                of + " " + shown + ", which " + why + "; write the names of the modules in its place");
    }

    /** A name that counts character reads. */
    private record Counted(CharSequence name, int[] left) implements CharSequence {

        @Override
        public char charAt(int index) {
            if (--left[0] < 0) {
                throw new TooLong();
            }
            return name.charAt(index);
        }

        @Override
        public int length() {
            return name.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new Counted(name.subSequence(start, end), left);
        }

        @Override
        public String toString() {
            return name.toString();
        }
    }

    private static final class TooLong extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooLong() {
            super(null, null, false, false);
        }
    }
}
