package dev.pollux.inference.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtSession;
import dev.pollux.inference.device.Device;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SessionSettingsTest {

    @ParameterizedTest
    @CsvSource({"true, 1", "false, 0"})
    void threadsStopToSpinWhenARunEndsWhetherTheySpinDuringItOrNot(boolean spinning, String written) throws Exception {
        try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, 2, spinning)) {
            assertThat(settings.getConfigEntries())
                    .containsEntry("session.force_spinning_stop", "1")
                    .containsEntry("session.intra_op.allow_spinning", written);
        }
    }
}
