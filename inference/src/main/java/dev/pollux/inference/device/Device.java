package dev.pollux.inference.device;

import dev.pollux.inference.internal.NativeRuntime;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The device that runs a model's operators: the CPU, or an accelerator through an execution provider of ONNX Runtime.
 * <em>Immutable.</em>
 *
 * <p>Pollux depends on {@code com.microsoft.onnxruntime:onnxruntime}, which supports the CPU, and CoreML on macOS. For
 * another provider, replace it with another build of the same version. Operators that a provider lacks run on the CPU. The
 * states of a sequence are kept in CPU memory.
 *
 * @param provider the execution provider
 * @param index the number of the device, at least 0; 0 if a provider has only one
 */
public record Device(Provider provider, int index) {

    /** The CPU, the default. */
    public static final Device CPU = new Device(Provider.CPU, 0);

    /** ONNX Runtime's execution providers. */
    public enum Provider {
        /** The CPU. */
        CPU("com.microsoft.onnxruntime:onnxruntime"),
        /** Nvidia's GPUs. */
        CUDA("com.microsoft.onnxruntime:onnxruntime_gpu, and the CUDA and cuDNN libraries it names"),
        /** Nvidia's GPUs, through TensorRT. */
        TENSORRT("com.microsoft.onnxruntime:onnxruntime_gpu, and the TensorRT libraries it names"),
        /** AMD's GPUs. */
        ROCM("a build of ONNX Runtime with ROCm"),
        /** Apple's GPU and neural engine. */
        COREML("com.microsoft.onnxruntime:onnxruntime on macOS"),
        /** GPUs under Windows. */
        DIRECTML("a build of ONNX Runtime for Windows with DirectML"),
        /** Intel's processors, GPUs and NPUs. */
        OPENVINO("a build of ONNX Runtime with OpenVINO"),
        /** Kernels for mobile processors. */
        XNNPACK("a build of ONNX Runtime with XNNPACK"),
        /** GPUs through WebGPU. */
        WEBGPU("a build of ONNX Runtime with WebGPU"),
        /** Qualcomm's NPUs. */
        QNN("a build of ONNX Runtime with QNN");

        private final String library;

        Provider(String library) {
            this.library = library;
        }

        /** The library that contains it, for messages. */
        public String library() {
            return library;
        }
    }

    public Device {
        if (index < 0) {
            throw new IllegalArgumentException("index must be at least 0 but was " + index);
        }
    }

    /**
     * Parses the format of {@link #toString}: {@code cpu}, {@code cuda}, {@code cuda:1}.
     *
     * @throws IllegalArgumentException if {@code text} does not name a device
     */
    public static Device parse(String text) {
        String[] parts = text.split(":", 2);
        for (Provider provider : Provider.values()) {
            if (provider.name().equalsIgnoreCase(parts[0])) {
                if (parts.length == 1) {
                    return new Device(provider, 0);
                }
                if (parts[1].matches("[0-9]{1,4}")) {
                    return new Device(provider, Integer.parseInt(parts[1]));
                }
            }
        }
        List<String> names = Arrays.stream(Provider.values())
                .map(provider -> provider.name().toLowerCase(Locale.ROOT))
                .toList();
        throw new IllegalArgumentException("A device must be one of " + names
                + ", with a number such as cuda:1 where there" + " are several, but was '" + text + "'");
    }

    /** The providers that the loaded ONNX Runtime was built with. A driver may still be missing. */
    public static List<Provider> available() {
        Set<String> names = NativeRuntime.providers();
        return Arrays.stream(Provider.values())
                .filter(provider -> names.contains(provider.name()))
                .toList();
    }

    /** The format accepted by {@link #parse}. */
    @Override
    public String toString() {
        return provider.name().toLowerCase(Locale.ROOT) + (index == 0 ? "" : ":" + index);
    }
}
