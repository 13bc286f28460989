package dev.pollux.inference.internal.session;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.device.Device.Provider;
import dev.pollux.inference.internal.NativeRuntime;
import java.util.Map;

/** How sessions are opened. */
public final class SessionSettings {

    /** Threads stop spinning after a run; otherwise an idle session would briefly take processor time from others. */
    private static final String STOP_SPINNING = "session.force_spinning_stop";

    private SessionSettings() {}

    /**
     * Options for a session of {@code threads} threads on a device; the caller closes them.
     *
     * @throws ModelExecutionException if ONNX Runtime cannot use the device
     */
    public static OrtSession.SessionOptions of(Device device, int threads, boolean spinning) throws OrtException {
        NativeRuntime.environment(); // loads the native libraries first; the options would use ONNX Runtime's rules
        OrtSession.SessionOptions settings = new OrtSession.SessionOptions();
        try {
            settings.setIntraOpNumThreads(threads);
            settings.setInterOpNumThreads(1);
            settings.addConfigEntry("session.intra_op.allow_spinning", spinning ? "1" : "0");
            settings.addConfigEntry(STOP_SPINNING, "1");
            use(device, settings);
            return settings;
        } catch (OrtException | RuntimeException e) {
            settings.close();
            throw e;
        }
    }

    private static void use(Device device, OrtSession.SessionOptions settings) {
        if (!Device.available().contains(device.provider())) {
            throw new ModelExecutionException("The device " + device
                    + " needs an ONNX Runtime built for it, but this one has "
                    + Device.available() + "; put " + device.provider().library()
                    + " into the place of com.microsoft.onnxruntime:onnxruntime, or use the device cpu");
        }
        try {
            add(device, settings);
        } catch (OrtException e) {
            throw new ModelExecutionException(
                    "The device " + device + " cannot be used: " + e.getMessage() + "; install "
                            + device.provider().library() + " and its driver, or use the device cpu",
                    e);
        }
    }

    private static void add(Device device, OrtSession.SessionOptions settings) throws OrtException {
        Provider provider = device.provider();
        switch (provider) {
            case CPU -> {}
            case CUDA -> settings.addCUDA(device.index());
            case TENSORRT -> settings.addTensorrt(device.index());
            case ROCM -> settings.addROCM(device.index());
            case COREML -> settings.addCoreML();
            case DIRECTML -> {
                settings.setMemoryPatternOptimization(false); // required by the provider, as is the next
                settings.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
                settings.addDirectML(device.index());
            }
            case OPENVINO -> settings.addOpenVINO(device.index() == 0 ? "" : "GPU." + device.index());
            case XNNPACK -> settings.addXnnpack(Map.of());
            case WEBGPU -> settings.addWebGPU(Map.of());
            case QNN -> settings.addQnn(Map.of());
        }
    }
}
