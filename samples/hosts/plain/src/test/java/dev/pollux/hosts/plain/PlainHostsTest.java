package dev.pollux.hosts.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The application without a framework. */
class PlainHostsTest {

    /** Of the JDK what Pollux and the libraries below it use; the libraries themselves are no modules that can be linked. */
    private static final String MODULES =
            "java.net.http,java.logging,java.management,java.naming,java.sql,java.desktop,"
                    + "java.xml,jdk.unsupported,jdk.crypto.ec,jdk.zipfs";

    @TempDir
    Path temp;

    @Test
    void theClassPathOfThisJvmIsEnough() throws Exception {
        run(HostJvm.java(HostJvm.OWN), "-cp", HostJvm.path(), HostJvm.MAIN);
    }

    @Test
    void theClassPathOfANewerJvmIsEnough() throws Exception {
        Optional<Path> newer = HostJvm.newer();
        assumeThat(newer).as("a JDK 25 or newer").isPresent();

        run(HostJvm.java(newer.orElseThrow()), "-cp", HostJvm.path(), HostJvm.MAIN);
    }

    @Test
    void theModulePathIsEnough() throws Exception {
        run(HostJvm.java(HostJvm.OWN), "-p", HostJvm.path(), "-m", "dev.pollux.hosts/" + HostJvm.MAIN);
    }

    @Test
    void aRuntimeImageWithTheModulesThatAreNeededIsEnough() throws Exception {
        Path home = HostJvm.OWN;
        Path image = temp.resolve("image");
        HostJvm.output(home.resolve("bin/jlink").toString(), "--add-modules", MODULES, "--output", image.toString());

        run(HostJvm.java(image), "-p", HostJvm.path(), "-m", "dev.pollux.hosts/" + HostJvm.MAIN);
    }

    private void run(String java, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(java, "-Dpollux.cache=" + System.getProperty("pollux.cache"), "-Djava.io.tmpdir=" + temp));
        command.addAll(List.of(arguments));

        assertThat(HostJvm.output(command.toArray(String[]::new)))
                .contains("answer: ")
                .contains("Husum");
    }
}
