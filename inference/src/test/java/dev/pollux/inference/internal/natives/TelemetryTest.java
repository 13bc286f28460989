package dev.pollux.inference.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TelemetryTest {

    @TempDir
    Path temp;

    @Test
    void aLibraryThatHoldsTheVariablesNameKnowsIt() throws IOException {
        Path with = Files.writeString(temp.resolve("with"), "\0ORORT_DISABLE_TELEMETRY");
        Path without = Files.writeString(temp.resolve("without"), "\0ORT_DISABLE_TELEMETR\0Y");
        Path empty = Files.writeString(temp.resolve("empty"), "");

        assertThat(Telemetry.isKnownTo(with)).isTrue();
        assertThat(Telemetry.isKnownTo(without)).isFalse();
        assertThat(Telemetry.isKnownTo(empty)).isFalse();
    }

    @Test
    void theAnswerIsKept() throws IOException {
        Path library = Files.writeString(temp.resolve("library"), "ORT_DISABLE_TELEMETRY");
        assertThat(Telemetry.isKnownTo(library)).isTrue();
        Files.writeString(temp.resolve("library.telemetry"), "false");
        assertThat(Telemetry.isKnownTo(library)).isFalse();
        Files.writeString(temp.resolve("library.telemetry"), "half an ans");
        assertThat(Telemetry.isKnownTo(library)).isTrue();
        assertThat(temp.resolve("library.telemetry")).hasContent("true");
    }

    @Test
    void onlyAPlainNoToTheVariableIsAWishForTelemetry() {
        assertThat(List.of("0", "false", "FALSE", "no", " off ", "n")).allMatch(Telemetry::isWanted);
        assertThat(List.of("", " ", "1", "true", "YES", "on", "y", "2", "disable", "please"))
                .noneMatch(Telemetry::isWanted);
        assertThat(Telemetry.isWanted(null)).isFalse();
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "getenv of the process is another one there")
    void nativeCodeSeesAVariableThatIsSet() {
        Telemetry.setVariable("POLLUX_TELEMETRY_TEST", "1");

        assertThat(NativeLibrary.getProcess()
                        .getFunction("getenv")
                        .invokeString(new Object[] {"POLLUX_TELEMETRY_TEST"}, false))
                .isEqualTo("1");
    }
}
