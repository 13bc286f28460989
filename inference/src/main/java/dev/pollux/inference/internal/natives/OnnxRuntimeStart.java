package dev.pollux.inference.internal.natives;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The start of ONNX Runtime's Java classes, without a temporary folder. <em>Not thread-safe: one thread at a time.</em> */
final class OnnxRuntimeStart {

    /*
     * Problem: OnnxRuntime.init always creates a temporary folder, even if all libraries are elsewhere and the folder stays
     * empty. It fails if the temporary folder is missing or read-only, as in a container with a read-only file system. No
     * property helps, because the JDK reads java.io.tmpdir only once.
     *
     * Design: the rest of init loads two libraries and stores three handles and two facts from them. This class performs
     * these steps by reflection, so that init later finds them done. It does so only if OnnxRuntime has exactly the
     * expected fields and native methods. Any other version starts by its own init, including the temporary folder.
     *
     * Rejected: setting java.vendor to Android's while it loads (no folder, but also no loading by path); a retry after a
     * failed init (the class is unusable then).
     */

    private static final String CLASS = "ai.onnxruntime.OnnxRuntime";
    private static final String API_VERSION = "ORT_API_VERSION_";
    private static final Set<String> STATE = Set.of(
            "loaded",
            "tempDirectory",
            "libraryDirPathProperty",
            "ortApiHandle",
            "ortTrainingApiHandle",
            "ortCompileApiHandle",
            "trainingEnabled",
            "providers",
            "version");
    private static final Set<String> NATIVE_METHODS = Set.of(
            "initialiseAPIBase",
            "initialiseTrainingAPIBase",
            "initialiseCompileAPIBase",
            "getAvailableProviders",
            "initialiseVersion");

    private final Class<?> runtime;

    private OnnxRuntimeStart(Class<?> runtime) {
        this.runtime = runtime;
    }

    private static OnnxRuntimeStart of() throws ReflectiveOperationException {
        return new OnnxRuntimeStart(Class.forName(CLASS));
    }

    /** Whether the libraries are already loaded, by the host or by Pollux. */
    static boolean isDone() {
        try {
            return of().field("loaded").getBoolean(null);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return false;
        }
    }

    /**
     * Loads the libraries of a folder and starts the runtime with them.
     *
     * @param libraries their file names in load order
     * @return whether it succeeded; if not, the runtime must start by itself
     * @throws LinkageError if a library cannot be loaded
     */
    static boolean from(Path folder, List<String> libraries) {
        if (!libraries.stream().allMatch(file -> Files.isRegularFile(folder.resolve(file)))) {
            return false;
        }
        try {
            OnnxRuntimeStart start = of();
            if (!start.isKnown()) {
                return false;
            }
            start.field("loaded"); // before anything is loaded, since a module may refuse it
            synchronized (start.runtime) { // as its init is
                libraries.forEach(file -> System.load(folder.resolve(file).toString()));
                return start.initialize(folder);
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            log("ONNX Runtime starts by itself", e);
            return false;
        }
    }

    /** Whether the class has the expected members and the same class loader, so that it can use libraries loaded here. */
    @SuppressWarnings("ReferenceEquality") // class loaders are compared by identity
    private boolean isKnown() {
        return runtime.getClassLoader() == OnnxRuntimeStart.class.getClassLoader()
                && names(Stream.of(runtime.getDeclaredFields())
                                .filter(field -> !Modifier.isFinal(field.getModifiers()) && !field.isSynthetic()))
                        .equals(STATE)
                && names(Stream.of(runtime.getDeclaredMethods())
                                .filter(method -> Modifier.isNative(method.getModifiers())))
                        .equals(NATIVE_METHODS);
    }

    private static Set<String> names(Stream<? extends Member> members) {
        return members.map(Member::getName).collect(Collectors.toSet());
    }

    private boolean initialize(Path folder) throws ReflectiveOperationException {
        int version = apiVersion();
        long api = (Long) call("initialiseAPIBase", version);
        if (api == 0) { // libraries of another version, which its own init reports
            return false;
        }
        long training = (Long) call("initialiseTrainingAPIBase", api, version);
        field("ortApiHandle").setLong(null, api);
        field("ortTrainingApiHandle").setLong(null, training);
        field("ortCompileApiHandle").setLong(null, (Long) call("initialiseCompileAPIBase", api));
        field("trainingEnabled").setBoolean(null, training != 0);
        field("providers").set(null, call("initialiseProviders", api));
        field("version").set(null, call("initialiseVersion"));
        field("libraryDirPathProperty").set(null, folder.toString()); // the search path for provider libraries
        field("tempDirectory").set(null, folder);
        field("loaded").setBoolean(null, true);
        return true;
    }

    /** The newest native API version that the class has a constant for. */
    private int apiVersion() throws ReflectiveOperationException {
        int newest = 0;
        for (String name : names(Stream.of(runtime.getDeclaredFields()))) {
            if (name.startsWith(API_VERSION)) {
                newest = Math.max(newest, field(name).getInt(null));
            }
        }
        return newest;
    }

    private Object call(String name, Object... arguments) throws ReflectiveOperationException {
        Class<?>[] types = Stream.of(arguments)
                .map(argument -> argument instanceof Long ? long.class : int.class)
                .toArray(Class<?>[]::new);
        Method method = runtime.getDeclaredMethod(name, types);
        method.setAccessible(true);
        try {
            return method.invoke(null, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof LinkageError failure) {
                throw failure;
            }
            throw e;
        }
    }

    private Field field(String name) throws ReflectiveOperationException {
        Field field = runtime.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** Deletes the unused temporary folder that its own init leaves behind. */
    static void deleteEmptyFolder() {
        try {
            if (of().field("tempDirectory").get(null) instanceof Path made) {
                Files.deleteIfExists(made);
            }
        } catch (ReflectiveOperationException | RuntimeException | IOException e) {
            log("ONNX Runtime's temporary folder stays", e);
        }
    }

    private static void log(String message, Exception e) {
        System.getLogger(OnnxRuntimeStart.class.getName()).log(System.Logger.Level.DEBUG, message, e);
    }
}
