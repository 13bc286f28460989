package dev.pollux.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * Reference data that lives outside the project: golden outputs, models and corpora.
 *
 * <p>The folders come from the system properties {@code pollux.golden}, {@code pollux.models} and {@code pollux.data};
 * a relative value is taken from {@code pollux.root}, the project's root (default: the working directory). The defaults
 * are {@code ../shared/golden}, {@code ../shared/models} and {@code ../shared/data}. A set that is absent aborts the
 * test with a message and is logged once; {@link #cases} fails when a set is present but holds no case, so
 * that a test cannot pass by finding nothing.
 *
 * <p><em>Thread-safe.</em>
 */
public final class ReferenceData {

    /** JUnit's report leaves out a factory or a source of arguments that was aborted, so the log says it too. */
    private static final System.Logger LOGGER = System.getLogger(ReferenceData.class.getName());

    private static final Set<Path> REPORTED = ConcurrentHashMap.newKeySet();

    private ReferenceData() {}

    /** The golden set {@code name}, a folder; aborts the test when it is absent. */
    public static Path golden(String name) {
        return require("pollux.golden", "../shared/golden", name);
    }

    /** The model folder or file {@code name}; aborts the test when it is absent. */
    public static Path model(String name) {
        return require("pollux.models", "../shared/models", name);
    }

    /** The corpus {@code name}, a folder; aborts the test when it is absent. */
    public static Path data(String name) {
        return require("pollux.data", "../shared/data", name);
    }

    /**
     * The entries of a set that match, sorted by name.
     *
     * @throws AssertionError if the folder holds none: a set that is present must run
     */
    public static List<Path> cases(Path set, Predicate<Path> filter) {
        try (Stream<Path> entries = Files.list(set)) {
            List<Path> found = entries.filter(filter).sorted().toList();
            if (found.isEmpty()) {
                throw new AssertionError("Reference set " + set + " is present but holds no case for this test");
            }
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The first entry of a set that matches, by name; aborts the test, and names what is missing, when there is none.
     *
     * @param what what is looked for, such as {@code plain LlamaForCausalLM}
     */
    public static Path first(Path set, String what, Predicate<Path> filter) {
        try (Stream<Path> entries = Files.list(set)) {
            return entries.filter(filter).sorted().findFirst().orElseThrow(() -> {
                String message = "Reference set " + set + " holds no " + what;
                if (REPORTED.add(set.resolve(what))) {
                    LOGGER.log(System.Logger.Level.WARNING, message + "; what needs one is skipped");
                }
                return new TestAbortedException(message);
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path require(String property, String fallback, String name) {
        Path root = Path.of(System.getProperty("pollux.root", ""));
        Path path = root.resolve(System.getProperty(property, fallback))
                .resolve(name)
                .toAbsolutePath()
                .normalize();
        if (!Files.exists(path)) {
            String message = "Reference data " + path + " is absent: set -D" + property + "=<folder>";
            if (REPORTED.add(path)) {
                LOGGER.log(System.Logger.Level.WARNING, message + "; what needs it is skipped");
            }
            throw new TestAbortedException(message);
        }
        return path;
    }
}
