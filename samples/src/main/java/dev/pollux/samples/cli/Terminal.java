package dev.pollux.samples.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the world around the process. <em>Immutable.</em>
 *
 * @param in standard input, read as UTF-8
 * @param interactive whether a person sits in front of it
 * @param colours whether text may be dimmed
 */
record Terminal(InputStream in, boolean interactive, boolean colours) {

    /** The process's own. */
    static Terminal standard() {
        boolean interactive = isInteractive(System.console());
        return new Terminal(System.in, interactive, interactive && System.getenv("NO_COLOR") == null && !isWindows());
    }

    static boolean isWindows() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    }

    /** From JDK 22 on there is a console also where no one sits; it says so by a method that JDK 17 lacks. */
    private static boolean isInteractive(@Nullable Console console) {
        if (console == null) {
            return false;
        }
        try {
            return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    BufferedReader reader() {
        return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    }
}
