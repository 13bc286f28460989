package dev.pollux.inference.internal.paths;

import dev.pollux.StorageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Resolves the user's home and folders named by environment variables. No other class determines the home.
 *
 * <p>Values are expanded like Python's {@code expanduser} and {@code expandvars}, which {@code huggingface_hub} uses: a
 * leading {@code ~} or {@code ~user}, then {@code $NAME} and <code>${NAME}</code>. Unresolved names stay as written. For a
 * user id without an account, as in containers with an arbitrary id, Java's home is {@code ?}; then the variable {@code
 * HOME} is used. <em>Immutable.</em>
 *
 * @param variables the environment variables
 * @param javaHome Java's {@code user.home}; empty for none
 * @param accounts the file of the system's users, in the format of {@code passwd}
 */
public record EnvironmentPaths(Map<String, String> variables, String javaHome, Path accounts) {

    private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{([^}]*)})");
    private static final int MOST_ACCOUNTS = 100_000;

    /** Of this process. */
    public static EnvironmentPaths system() {
        return new EnvironmentPaths(System.getenv(), System.getProperty("user.home", ""), Path.of("/etc/passwd"));
    }

    /**
     * The user's home folder.
     *
     * @throws StorageException if it cannot be determined; the message names the variables to set
     */
    public Path home() {
        return knownHome()
                .orElseThrow(() -> new StorageException("The user has no home folder (user.home is '" + javaHome
                        + "' and HOME is not set); set POLLUX_CACHE to a folder that can be written, and HF_HOME for"
                        + " models of the hub"));
    }

    /** The user's home folder; empty if it cannot be determined. */
    public Optional<Path> knownHome() {
        boolean known = !javaHome.isBlank() && !javaHome.equals("?");
        return (known ? Optional.of(javaHome) : value("HOME").or(() -> value("USERPROFILE"))).map(Path::of);
    }

    /** The expanded folder named by a variable; empty if the variable is absent or blank. */
    public Optional<Path> folder(String variable) {
        return value(variable).map(this::expanded);
    }

    /** The trimmed value of a variable; empty if it is absent or blank. */
    public Optional<String> value(String variable) {
        return Optional.of(variables.getOrDefault(variable, "").strip()).filter(value -> !value.isEmpty());
    }

    /** Expands a path as written in a variable. */
    public Path expanded(String written) {
        return Path.of(VARIABLE.matcher(atHome(written)).replaceAll(found -> Matcher.quoteReplacement(value(found))));
    }

    private String value(MatchResult found) {
        String name = found.group(1) == null ? found.group(2) : found.group(1);
        return variables.getOrDefault(name, found.group());
    }

    private String atHome(String written) {
        if (!written.startsWith("~")) {
            return written;
        }
        int slash = written.indexOf('/');
        String user = written.substring(1, slash < 0 ? written.length() : slash);
        Optional<String> home = user.isEmpty() ? knownHome().map(Path::toString) : homeOf(user);
        return home.map(folder -> folder + (slash < 0 ? "" : written.substring(slash)))
                .orElse(written);
    }

    /** The home in a user's line, its sixth field. */
    private Optional<String> homeOf(String user) {
        if (!Files.isRegularFile(accounts)) {
            return Optional.empty();
        }
        try (BufferedReader lines = Files.newBufferedReader(accounts, StandardCharsets.ISO_8859_1)) {
            return lines.lines()
                    .limit(MOST_ACCOUNTS)
                    .map(line -> line.split(":", -1))
                    .filter(fields -> fields.length > 5 && fields[0].equals(user))
                    .map(fields -> fields[5])
                    .findFirst();
        } catch (IOException e) {
            throw new StorageException("Cannot read " + accounts + ": " + e, e);
        }
    }
}
