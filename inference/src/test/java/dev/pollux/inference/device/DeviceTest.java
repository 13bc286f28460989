package dev.pollux.inference.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.ModelExecutionException;
import dev.pollux.inference.device.Device.Provider;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@NoLeaks
class DeviceTest {

    @ParameterizedTest
    @EnumSource(Provider.class)
    void everyDeviceIsReadAsItIsWritten(Provider provider) {
        assertThat(Device.parse(new Device(provider, 0).toString())).isEqualTo(new Device(provider, 0));
        assertThat(Device.parse(new Device(provider, 3).toString())).isEqualTo(new Device(provider, 3));
    }

    @Test
    void whatIsNoDeviceIsToldTheDevices() {
        assertThatThrownBy(() -> Device.parse("gpu"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("A device must be one of [cpu, cuda, tensorrt, rocm, coreml, directml, openvino, xnnpack,"
                        + " webgpu, qnn], with a number such as cuda:1 where there are several, but was 'gpu'");
        assertThatThrownBy(() -> Device.parse("cuda:x")).hasMessageEndingWith("but was 'cuda:x'");
        assertThatThrownBy(() -> new Device(Provider.CUDA, -1)).hasMessage("index must be at least 0 but was -1");
    }

    @Test
    void theProcessorIsAlwaysAvailable() {
        assertThat(Device.available()).contains(Provider.CPU);
    }

    @Test
    void aDeviceThatTheRuntimeLacksIsRefusedWithWhatHasIt() {
        Provider absent = Arrays.stream(Provider.values())
                .filter(provider -> !Device.available().contains(provider))
                .findFirst()
                .orElseThrow();
        Device device = new Device(absent, 0);
        String message = "The device " + device + " needs an ONNX Runtime built for it, but this one has "
                + Device.available() + "; put " + absent.library()
                + " into the place of com.microsoft.onnxruntime:onnxruntime, or use the device cpu";
        Path model = EmbeddedModel.named("smollm2-135m-instruct").unpack().run();

        assertThatThrownBy(() -> OnnxGenerator.open(
                        model, EngineOptions.builder().device(device).build()))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> OnnxEmbedder.bundled(
                        EmbedderOptions.builder().device(device).build()))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessage(message);
    }
}
