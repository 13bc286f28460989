package dev.pollux.samples.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The terminal of the process. <em>Immutable.</em>
 *
 * @param in standard input, read as UTF-8
 * @param interactive whether it is interactive
 * @param colours whether text may be dimmed
 * @param width columns of the terminal; 0 if there is none or it is unknown, and then lines are neither wrapped nor
 *     truncated
 */
record Terminal(InputStream in, boolean interactive, boolean colours, int width) {

    private static final long PATIENCE_MILLIS = 300;
    private static final int MOST_COLUMNS = 1000;
    private static final Pattern SIZE = Pattern.compile("(\\d{1,4}) (\\d{1,4})\\s*");

    /** A terminal of unknown width. */
    Terminal(InputStream in, boolean interactive, boolean colours) {
        this(in, interactive, colours, 0);
    }

    /** The process's own. */
    static Terminal standard() {
        boolean interactive = isInteractive(System.console()) && !"dumb".equals(System.getenv("TERM"));
        return new Terminal(
                System.in,
                interactive,
                interactive && System.getenv("NO_COLOR") == null && !isWindows(),
                interactive ? columns() : 0);
    }

    /** {@code COLUMNS}, else the terminal's width; 0 if both are unknown. */
    private static int columns() {
        String stated = String.valueOf(System.getenv("COLUMNS"));
        int columns = stated.matches("\\d{1,4}") ? Integer.parseInt(stated) : isWindows() ? 0 : asked();
        return columns <= MOST_COLUMNS ? columns : 0;
    }

    private static int asked() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                stty.destroy();
                return 0;
            }
            Matcher size = SIZE.matcher(new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
            return size.matches() ? Integer.parseInt(size.group(2)) : 0;
        } catch (IOException e) {
            return 0; // there is no stty
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    static boolean isWindows() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    }

    /** Since JDK 22 a console exists even without a terminal; a method that JDK 17 lacks distinguishes the two. */
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
