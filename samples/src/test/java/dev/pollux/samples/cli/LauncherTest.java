package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The {@code pollux} script, in a copy of the project's layout, with a java and a mvn that write down how they were called. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a POSIX shell script")
class LauncherTest {

    private static final Path ROOT =
            Path.of(System.getProperty("pollux.root", "..")).toAbsolutePath().normalize();
    private static final FileTime OLD = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
    private static final FileTime NEW = FileTime.from(Instant.parse("2021-01-01T00:00:00Z"));

    @TempDir
    Path temp;

    private Path project;
    private Path jar;
    private Path bin;

    @BeforeEach
    void layOut() throws IOException {
        project = temp.resolve("a project's folder");
        jar = project.resolve("samples/target/pollux.jar");
        bin = Files.createDirectories(temp.resolve("bin"));
        Files.createDirectories(project.resolve("core/src/main"));
        Files.createDirectories(project.resolve("samples"));
        Files.copy(ROOT.resolve("pollux"), project.resolve("pollux"));
        Files.writeString(project.resolve("core/src/main/A.java"), "class A {}");
        Files.writeString(project.resolve("pom.xml"), "<project/>");
        for (String path : List.of("pom.xml", "core/src/main/A.java", "core/src/main", "core")) {
            Files.setLastModifiedTime(project.resolve(path), OLD);
        }
        java("17.0.15");
        program("mvn", "echo \"mvn in $(pwd): $*\"; mkdir -p samples/target; : > samples/target/pollux.jar");
    }

    @Test
    void buildsWhenTheJarIsMissing() throws IOException, InterruptedException {
        Run run = run(temp, project.resolve("pollux"), "ask");

        assertThat(run.err())
                .contains("pollux: building samples/target/pollux.jar")
                .contains("mvn in " + project.toRealPath() + ": -B -q -pl samples -am");
        assertThat(run.out()).containsExactly("-jar", jar.toRealPath().toString(), "ask");
        assertThat(run.exit()).isEqualTo(7);
    }

    @Test
    void runsWithoutBuildingWhenTheJarIsNewer() throws IOException, InterruptedException {
        jarOfAge(NEW);

        Run run = run(temp, project.resolve("pollux"));

        assertThat(run.err()).isEmpty();
        assertThat(run.out()).containsExactly("-jar", jar.toRealPath().toString());
    }

    @Test
    void buildsWhenASourceIsNewer() throws IOException, InterruptedException {
        jarOfAge(OLD);
        Files.setLastModifiedTime(project.resolve("core/src/main/A.java"), NEW);

        assertThat(run(temp, project.resolve("pollux")).err()).contains("pollux: building");
    }

    @Test
    void passesEveryArgumentAsItIs() throws IOException, InterruptedException {
        jarOfAge(NEW);

        Run run = run(temp, project.resolve("pollux"), "a b", "", "$HOME", "*", "it's", "\"q\"");

        assertThat(run.out().subList(2, run.out().size())).containsExactly("a b", "", "$HOME", "*", "it's", "\"q\"");
    }

    @Test
    void findsItselfThroughLinks() throws IOException, InterruptedException {
        jarOfAge(NEW);
        Path absolute = Files.createSymbolicLink(temp.resolve("one"), project.resolve("pollux"));
        Path relative = Files.createSymbolicLink(bin.resolve("two"), bin.relativize(absolute));

        assertThat(run(bin, relative).out())
                .containsExactly("-jar", jar.toRealPath().toString());
    }

    @Test
    void javaOfJavaHomeComesFirst() throws IOException, InterruptedException {
        jarOfAge(NEW);
        Path home = temp.resolve("j d k");
        Files.createDirectories(home.resolve("bin"));
        program(
                "../j d k/bin/java",
                "[ \"$1\" = -version ] && echo 'openjdk version \"25\" 2025-09-16' >&2 || echo home");

        assertThat(run(temp, Map.of("JAVA_HOME", home.toString()), project.resolve("pollux"))
                        .out())
                .containsExactly("home");
    }

    @Test
    void oldJavaIsNamed() throws IOException, InterruptedException {
        java("1.8.0_392");

        Run run = run(temp, project.resolve("pollux"));

        assertThat(run.err().strip())
                .isEqualTo("pollux: java is version 8; install JDK 17 or newer, or set JAVA_HOME to one");
        assertThat(run.exit()).isEqualTo(1);
    }

    @Test
    void missingProgramsAreNamed() throws IOException, InterruptedException {
        Files.delete(bin.resolve("mvn"));
        assertThat(run(temp, project.resolve("pollux")).err().strip())
                .isEqualTo("pollux: no mvn on the path; install Maven 3.8.1 or newer");

        Files.delete(bin.resolve("java"));
        assertThat(run(temp, project.resolve("pollux")).err().strip())
                .isEqualTo("pollux: no java; install JDK 17 or newer, or set JAVA_HOME to one");
    }

    @Test
    void failedBuildIsNotRun() throws IOException, InterruptedException {
        program("mvn", "echo broken; exit 1");

        Run run = run(temp, project.resolve("pollux"));

        assertThat(run.err()).endsWith("broken\npollux: the build failed\n");
        assertThat(run.out()).isEmpty();
        assertThat(run.exit()).isEqualTo(1);
    }

    private void jarOfAge(FileTime age) throws IOException {
        Files.createDirectories(jar.getParent());
        Files.createFile(jar);
        Files.setLastModifiedTime(jar, age);
        for (String path : List.of("pom.xml", "core/src/main/A.java", "core/src/main")) {
            Files.setLastModifiedTime(project.resolve(path), OLD);
        }
    }

    private void java(String version) throws IOException {
        program(
                "java",
                "if [ \"$1\" = -version ]; then echo 'Picked up JAVA_TOOL_OPTIONS: -Da' >&2; echo 'openjdk version \""
                        + version + "\" 2025-04-15' >&2; else printf '%s\\n' \"$@\"; exit 7; fi");
    }

    private void program(String name, String body) throws IOException {
        Path file = bin.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** A path with the tools that the script needs, and none of the machine's Java or Maven. */
    private String path() throws IOException {
        for (String tool : List.of("dirname", "readlink", "sed", "head", "find", "mkdir", "touch")) {
            Path found = Arrays.stream(System.getenv("PATH").split(":"))
                    .map(folder -> Path.of(folder, tool))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            program(tool, "exec " + found + " \"$@\"");
        }
        return bin.toString();
    }

    private Run run(Path folder, Path script, String... arguments) throws IOException, InterruptedException {
        return run(folder, Map.of(), script, arguments);
    }

    private Run run(Path folder, Map<String, String> environment, Path script, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(script.toString()));
        command.addAll(List.of(arguments));
        Path out = temp.resolve("out");
        Path err = temp.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", path());
        builder.environment().putAll(environment);
        int exit = builder.start().waitFor();
        List<String> lines = new ArrayList<>(
                List.of(Files.readString(out, StandardCharsets.UTF_8).split("\n", -1)));
        lines.remove(lines.size() - 1);
        return new Run(exit, lines, Files.readString(err, StandardCharsets.UTF_8));
    }

    private record Run(int exit, List<String> out, String err) {}
}
