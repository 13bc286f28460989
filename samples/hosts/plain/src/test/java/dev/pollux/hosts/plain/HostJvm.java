package dev.pollux.hosts.plain;

import static org.assertj.core.api.Assertions.assertThat;

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

/** Starts the application in JVMs of its own. */
final class HostJvm {

    static final String MAIN = "dev.pollux.hosts.Application";

    /** The JDK that runs the tests. */
    static final Path OWN = Path.of(System.getProperty("java.home"));

    private HostJvm() {}

    /** A process that has ended, with what it printed on both channels. */
    record Ended(int code, String out) {}

    static Ended ended(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), out);
    }

    /** What the command prints, if it ends well. */
    static String output(String... command) throws Exception {
        Ended ended = ended(command);
        assertThat(ended.code()).as(ended.out()).isZero();
        return ended.out();
    }

    static String java(Path home) {
        return home.resolve("bin/java").toString();
    }

    /** The dependencies of the application, without those of the tests. */
    static String path() {
        String all = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Stream.of(all.split(File.pathSeparator))
                .filter(
                        entry -> !entry.matches(
                                ".*(org.junit|org/junit|opentest4j|apiguardian|assertj|byte-buddy|surefire|test-classes|plain.target).*"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** A JDK of version 25 or newer: {@code JAVA_HOME} and its kin, then beside the one that runs this. */
    static Optional<Path> newer() throws IOException {
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

    static int version(Path home) {
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

    /** {@link #path()} with the libraries of a folder in the place of those of the same name. */
    static String path(Path folder) throws IOException {
        List<Path> jars;
        try (Stream<Path> found = Files.list(folder)) {
            jars = found.sorted().toList();
        }
        List<String> names = jars.stream().map(HostJvm::artifact).toList();
        return Stream.concat(
                        Stream.of(path().split(File.pathSeparator))
                                .filter(entry -> !names.contains(artifact(Path.of(entry)))),
                        jars.stream().map(Path::toString))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String artifact(Path jar) {
        return jar.getFileName().toString().replaceFirst("-[0-9].*", "");
    }
}
