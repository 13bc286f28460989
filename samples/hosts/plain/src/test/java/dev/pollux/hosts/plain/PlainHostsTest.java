package dev.pollux.hosts.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The application without a framework. */
class PlainHostsTest {

    private static final String MAIN = "dev.pollux.hosts.Application";

    /** Of the JDK what Pollux and the libraries below it use; the libraries themselves are no modules that can be linked. */
    private static final String MODULES =
            "java.net.http,java.logging,java.management,java.naming,java.sql,java.desktop,"
                    + "java.xml,jdk.unsupported,jdk.crypto.ec,jdk.zipfs";

    @TempDir
    Path temp;

    @Test
    void theClassPathOfThisJvmIsEnough() throws Exception {
        run(java(Path.of(System.getProperty("java.home"))), "-cp", path(), MAIN);
    }

    @Test
    void theClassPathOfANewerJvmIsEnough() throws Exception {
        Optional<Path> newer = newer();
        assumeThat(newer).as("a JDK 25 or newer").isPresent();

        run(java(newer.orElseThrow()), "-cp", path(), MAIN);
    }

    @Test
    void theModulePathIsEnough() throws Exception {
        run(java(Path.of(System.getProperty("java.home"))), "-p", path(), "-m", "dev.pollux.hosts/" + MAIN);
    }

    @Test
    void aRuntimeImageWithTheModulesThatAreNeededIsEnough() throws Exception {
        Path home = Path.of(System.getProperty("java.home"));
        Path image = temp.resolve("image");
        output(home.resolve("bin/jlink").toString(), "--add-modules", MODULES, "--output", image.toString());

        run(java(image), "-p", path(), "-m", "dev.pollux.hosts/" + MAIN);
    }

    private void run(String java, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(java, "-Dpollux.cache=" + System.getProperty("pollux.cache"), "-Djava.io.tmpdir=" + temp));
        command.addAll(List.of(arguments));

        assertThat(output(command.toArray(String[]::new))).contains("answer: ").contains("Husum");
    }

    private static String output(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        return out;
    }

    private static String java(Path home) {
        return home.resolve("bin/java").toString();
    }

    /** The dependencies of the application, without those of the tests. */
    private static String path() {
        String all = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Stream.of(all.split(File.pathSeparator))
                .filter(
                        entry -> !entry.matches(
                                ".*(org.junit|org/junit|opentest4j|apiguardian|assertj|byte-buddy|surefire|test-classes|plain.target).*"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** A JDK of version 25 or newer: {@code JAVA_HOME} and its kin, then beside the one that runs this. */
    private static Optional<Path> newer() throws IOException {
        List<Path> homes = new ArrayList<>();
        System.getenv().forEach((name, value) -> {
            if (name.startsWith("JAVA_HOME") || name.equals("POLLUX_LINT_JDK")) {
                homes.add(Path.of(value));
            }
        });
        for (Path beside :
                List.of(Path.of(System.getProperty("java.home")).resolveSibling(""), Path.of("/usr/lib/jvm"))) {
            if (Files.isDirectory(beside)) {
                try (Stream<Path> found = Files.list(beside)) {
                    found.sorted().forEach(homes::add);
                }
            }
        }
        return homes.stream().filter(home -> version(home) >= 25).findFirst();
    }

    private static int version(Path home) {
        Path release = home.resolve("release");
        if (!Files.isRegularFile(release) || !Files.isExecutable(home.resolve("bin/java"))) {
            return 0;
        }
        Properties facts = new Properties();
        try (var in = Files.newInputStream(release)) {
            facts.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Integer.parseInt(
                facts.getProperty("JAVA_VERSION", "0").replace("\"", "").split("[.+-]")[0]);
    }
}
