package dev.pollux.inference.internal.paths;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EnvironmentPathsTest {

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({
        "$DISK/fast, /disk/fast",
        "${DISK}/fast, /disk/fast",
        "$DISKS/fast, $DISKS/fast",
        "${DISK/fast, ${DISK/fast",
        "/a/$DISK$DISK, /a/disk/disk",
        "$LOOP, $DISK",
        "~, /home/me",
        "~/hf, /home/me/hf",
        "~ann/hf, /home/ann/hf",
        "~nobody/hf, ~nobody/hf",
        "/a/~/b, /a/~/b",
        "$TILDE/x, ~/x",
        "~/$DISK, /home/me/disk",
    })
    void aPathIsExpandedAsPythonExpandsIt(String written, String expanded) throws IOException {
        Path accounts = Files.writeString(
                temp.resolve("passwd"), "root:x:0:0:root:/root:/bin/sh\nann:x:1:1:Ann:/home/ann:/bin/sh\nodd\n");
        Map<String, String> variables = Map.of("DISK", "/disk", "LOOP", "$DISK", "TILDE", "~");
        assertThat(new EnvironmentPaths(variables, "/home/me", accounts).expanded(written))
                .isEqualTo(Path.of(expanded));
    }

    @Test
    void theHomeIsJavasElseThatOfTheEnvironment() {
        Map<String, String> variables = Map.of("HOME", "/home/me");
        assertThat(given(variables, "/home/java").home()).isEqualTo(Path.of("/home/java"));
        assertThat(given(variables, "?").home()).isEqualTo(Path.of("/home/me"));
        assertThat(given(variables, "").home()).isEqualTo(Path.of("/home/me"));
        assertThat(given(Map.of("USERPROFILE", "/users/me"), "?").home()).isEqualTo(Path.of("/users/me"));
    }

    @Test
    void withoutAHomeTheVariablesThatHelpAreNamed() {
        EnvironmentPaths paths = given(Map.of("HOME", " "), "?");
        assertThat(paths.knownHome()).isEmpty();
        assertThat(paths.expanded("~/hf")).isEqualTo(Path.of("~/hf"));
        assertThatThrownBy(paths::home)
                .isInstanceOf(StorageException.class)
                .hasMessage("The user has no home folder (user.home is '?' and HOME is not set); set POLLUX_CACHE to a"
                        + " folder that can be written, and HF_HOME for models of the hub");
    }

    private EnvironmentPaths given(Map<String, String> variables, String javaHome) {
        return new EnvironmentPaths(variables, javaHome, temp.resolve("none"));
    }
}
