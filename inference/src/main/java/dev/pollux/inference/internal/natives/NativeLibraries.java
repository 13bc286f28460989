package dev.pollux.inference.internal.natives;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtLoggingLevel;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.internal.paths.CacheFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Loads the native libraries from Pollux's cache, into which they are unpacked once.
 *
 * <p>By default, ONNX Runtime unpacks into a new temporary folder at each start. DJL detects GPUs by JNA, may download a
 * library for them, and unpacks into {@code ~/.djl.ai}. Both are avoided here. If a host sets the libraries' own path
 * properties, these take precedence. <em>Thread-safe.</em>
 */
public final class NativeLibraries {

    private static final String ORT_PATH = "onnxruntime.native.path";
    private static final String ORT_PROPERTIES = "onnxruntime.native.";
    /** In load order. */
    private static final List<String> ORT_REQUIRED = Stream.of("onnxruntime", "onnxruntime4j_jni")
            .map(NativeLibraries::fileName)
            .toList();

    private static final List<String> ORT_LIBRARIES = Stream.concat(
                    Stream.of("onnxruntime", "onnxruntime4j_jni", "webgpu_dawn", "dxil", "dxcompiler"),
                    Stream.of("shared", "cuda", "tensorrt", "rocm", "migraphx", "dnnl", "openvino", "qnn", "vitisai")
                            .map(provider -> "onnxruntime_providers_" + provider))
            .toList();
    private static final List<String> WINDOWS_RUNTIME =
            List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

    private static final ReentrantLock LOADING = new ReentrantLock();
    private static boolean tokenizersLoaded;

    private NativeLibraries() {}

    /**
     * Loads the libraries and returns the environment of ONNX Runtime with telemetry off; the host's environment if it has
     * one.
     *
     * @throws dev.pollux.CancelledException if the thread is interrupted while they are unpacked
     * @throws dev.pollux.StorageException if the libraries cannot be unpacked
     * @throws ModelExecutionException if they cannot be loaded
     */
    public static OrtEnvironment openEnvironment() {
        LOADING.lock();
        try {
            if (OnnxRuntimeStart.isDone()) {
                return OrtEnvironment.getEnvironment();
            }
            boolean placed = SystemProperties.anyBeginsWith(ORT_PROPERTIES);
            Optional<Path> folder = placed ? Optional.empty() : unpackOnnxRuntime();
            Telemetry.switchOff(folder);
            return open(placed ? hostsFolder() : folder);
        } finally {
            LOADING.unlock();
        }
    }

    /** The host's folder of all libraries, if its properties name one. */
    private static Optional<Path> hostsFolder() {
        return SystemProperties.beginningWith(ORT_PROPERTIES).equals(Set.of(ORT_PATH))
                ? Optional.of(Path.of(System.getProperty(ORT_PATH)).toAbsolutePath())
                : Optional.empty();
    }

    private static OrtEnvironment open(Optional<Path> folder) {
        try {
            if (folder.isEmpty() || OnnxRuntimeStart.from(folder.get(), ORT_REQUIRED)) {
                return environment();
            }
            OrtEnvironment environment =
                    SystemProperties.during(Map.of(ORT_PATH, folder.get().toString()), NativeLibraries::environment);
            OnnxRuntimeStart.deleteEmptyFolder();
            return environment;
        } catch (LinkageError | RuntimeException e) {
            throw cannotLoad("ONNX Runtime", e);
        }
    }

    private static OrtEnvironment environment() {
        // Its log goes to standard error: warnings without a remedy, and failures that are also thrown as exceptions.
        return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "ort-java");
    }

    private static ModelExecutionException cannotLoad(String library, Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new ModelExecutionException(
                "Cannot load " + library + " on " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
                        + ": " + (cause instanceof IOException ? cause : cause.getMessage()),
                failure);
    }

    private static Optional<Path> unpackOnnxRuntime() {
        String from = "ai/onnxruntime/native/" + os() + "-" + arch("x64") + "/";
        return UnpackedFiles.of(
                OrtEnvironment.class,
                folder("onnxruntime"),
                ORT_LIBRARIES.stream().map(library -> from + fileName(library)).toList());
    }

    /**
     * Makes the methods of {@link TokenizersLibrary} callable.
     *
     * @throws dev.pollux.CancelledException if the thread is interrupted while it is unpacked
     * @throws dev.pollux.StorageException if the library cannot be unpacked
     * @throws ModelExecutionException if it cannot be loaded
     */
    public static void loadTokenizers() {
        LOADING.lock();
        try {
            if (!tokenizersLoaded) {
                loadTokenizers(hostPlacesTokenizers() ? Optional.empty() : unpackTokenizers());
                tokenizersLoaded = true;
            }
        } catch (LinkageError | ai.djl.engine.EngineException e) {
            throw cannotLoad("the tokenizers' library", e);
        } finally {
            LOADING.unlock();
        }
    }

    @SuppressWarnings("ReferenceEquality") // class loaders are compared by identity
    private static void loadTokenizers(Optional<Path> folder) {
        if (folder.isEmpty()) {
            LibUtils.checkStatus(); // loads it by DJL's own rules
        } else if (TokenizersLibrary.class.getClassLoader() == NativeLibraries.class.getClassLoader()) {
            for (String file : tokenizerFiles()) {
                System.load(folder.get().resolve(file).toString());
            }
        } else { // A native method is resolved only in libraries loaded by its own class loader.
            SystemProperties.during(Map.of("RUST_LIBRARY_PATH", folder.get().toString()), () -> {
                LibUtils.checkStatus();
                return true;
            });
        }
    }

    private static boolean hostPlacesTokenizers() {
        return Stream.of("RUST_LIBRARY_PATH", "RUST_FLAVOR")
                        .anyMatch(name -> System.getenv(name) != null || System.getProperty(name) != null)
                || System.getProperty("ai.djl.huggingface.native_helper") != null;
    }

    private static Optional<Path> unpackTokenizers() {
        String from = "native/lib/" + os() + "-" + arch("x86_64") + "/cpu/";
        return UnpackedFiles.of(
                TokenizersLibrary.class,
                folder("tokenizers"),
                tokenizerFiles().stream().map(from::concat).toList());
    }

    private static List<String> tokenizerFiles() {
        Stream<String> runtime = os().equals("win") ? WINDOWS_RUNTIME.stream() : Stream.empty();
        return Stream.concat(runtime, Stream.of(fileName("tokenizers"))).toList();
    }

    static Path folder(String library) {
        return CacheFolder.directory().resolve("natives").resolve(library);
    }

    static String fileName(String library) {
        return System.mapLibraryName(library).replace("jnilib", "dylib");
    }

    private static String os() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        return name.contains("mac") || name.contains("darwin") ? "osx" : name.startsWith("win") ? "win" : "linux";
    }

    private static String arch(String x64) {
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        return arch.equals("amd64") || arch.equals("x86_64") ? x64 : arch;
    }
}
