package dev.pollux.hosts.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.pollux.hosts.plain.HostJvm.Ended;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The application with the versions of libraries that a host's BOM may decide, as docs/hosting.md names them. */
class LibraryVersionsTest {

    private static final Path VERSIONS = Path.of("target", "versions");
    private static final int FIRST_OF_LUCENE_10 = 21;

    @TempDir
    Path temp;

    @Test
    void theOldestVersionsAreEnough() throws Exception {
        Ended ended = application(HostJvm.OWN, "oldest", temp.resolve("cache"));

        assertThat(ended.code()).as(ended.out()).isZero();
        assertThat(ended.out()).contains("Husum");
    }

    @Test
    void theNewestVersionsAreEnough() throws Exception {
        Optional<Path> newer = HostJvm.newer();
        assumeThat(newer).as("a JDK 25 or newer").isPresent();

        Ended ended = application(newer.orElseThrow(), "newest", temp.resolve("cache"));

        assertThat(ended.code()).as(ended.out()).isZero();
        assertThat(ended.out()).contains("Husum");
    }

    @Test
    void aLuceneThatIsTooOldIsNamed() throws Exception {
        Ended ended = application(HostJvm.OWN, "old-lucene", common());

        assertThat(ended.code()).as(ended.out()).isNotZero();
        assertThat(ended.out())
                .contains("PolluxException: A knowledge base needs Lucene 9.5 or newer but the class path has 9.4.2;"
                        + " let org.apache.lucene:lucene-core and lucene-analysis-common have version 9.5 or"
                        + " newer");
    }

    @Test
    void aLuceneForANewerJavaIsNamed() throws Exception {
        int own = Runtime.version().feature();
        assumeThat(own).as("a JDK older than 21").isLessThan(FIRST_OF_LUCENE_10);

        Ended ended = application(HostJvm.OWN, "newest", common());

        assertThat(ended.code()).as(ended.out()).isNotZero();
        assertThat(ended.out())
                .contains("PolluxException: The Lucene on the class path is compiled for a newer Java than " + own
                        + " (Lucene 10 needs 21); let org.apache.lucene:lucene-core and lucene-analysis-common have"
                        + " version 9.5 to 9.12, or run a newer Java");
    }

    @Test
    void aProtobufThatDoesNotFitIsNamed() throws Exception {
        Ended ended = application(HostJvm.OWN, "old-protobuf", temp.resolve("cache"));

        assertThat(ended.code()).as(ended.out()).isNotZero();
        assertThat(ended.out())
                .contains("UnsupportedModelException: A model cannot be exported with this version of protobuf (file:")
                .contains("protobuf-java-3.23.4.jar): java.lang.NoSuchMethodError: ")
                .contains("; let com.google.protobuf:protobuf-java have version 3.24, 3.25, or 4.27 or newer");
    }

    private static Path common() {
        return Path.of(System.getProperty("pollux.cache"));
    }

    /** Runs it; what is exported is exported anew where the cache is empty. */
    private Ended application(Path home, String versions, Path cache) throws Exception {
        return HostJvm.ended(
                HostJvm.java(home),
                "-Dpollux.cache=" + cache,
                "-Djava.io.tmpdir=" + temp,
                "-cp",
                HostJvm.path(VERSIONS.resolve(versions)),
                HostJvm.MAIN);
    }
}
