package dev.pollux.inference.device;

import dev.pollux.inference.internal.NativeRuntime;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Where a model's operators run: the processor, or an accelerator through one of ONNX Runtime's execution providers. <em>Immutable.</em>
 *
 * <p>The library {@code com.microsoft.onnxruntime:onnxruntime} that Pollux depends on has the processor, and CoreML on macOS; for
 * another provider a host puts another build of the same version into its place. Operators that a provider lacks run on the
 * processor. States of a sequence lie in the processor's memory.
 *
 * @param provider the execution provider
 * @param index which of several devices, at least 0; 0 where a provider knows one
 */
public record Device(Provider provider, int index) {

    /** The processor; the default everywhere. */
    public static final Device CPU = new Device(Provider.CPU, 0);

    /** ONNX Runtime's execution providers. */
    public enum Provider {
        /** The processor. */
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

        /** What has it, for messages. */
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
     * Reads what {@link #toString} writes: {@code cpu}, {@code cuda}, {@code cuda:1}.
     *
     * @throws IllegalArgumentException if it names no device
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

    /** What the ONNX Runtime in this process was built for; a driver may be missing all the same. */
    public static List<Provider> available() {
        Set<String> names = NativeRuntime.providers();
        return Arrays.stream(Provider.values())
                .filter(provider -> names.contains(provider.name()))
                .toList();
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return provider.name().toLowerCase(Locale.ROOT) + (index == 0 ? "" : ":" + index);
    }
}
