package dev.pollux.inference.internal.natives;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import dev.pollux.CancelledException;
import dev.pollux.internal.Interrupts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Disables the telemetry of ONNX Runtime.
 *
 * <p>Builds with telemetry start it while the library loads, unless an environment variable disables it. Java cannot set a
 * variable in the native environment, but JNA can. JNA is loaded only if the library reads the variable; the version that
 * Pollux supplies does not.
 */
final class Telemetry {

    static final String VARIABLE = "ORT_DISABLE_TELEMETRY";
    /** Values that explicitly allow telemetry: the runtime parses them as false. */
    private static final Set<String> NO = Set.of("0", "false", "no", "off", "n");

    private Telemetry() {}

    /**
     * Sets the variable if the library reads it and the host does not want telemetry.
     *
     * @param folder Pollux's folder of the library; empty if the host supplies it
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    static void switchOff(Optional<Path> folder) {
        if (isWanted(System.getenv(VARIABLE))) {
            return;
        }
        try {
            if (folder.isEmpty() || isKnownTo(folder.get().resolve(NativeLibraries.fileName("onnxruntime")))) {
                setVariable(VARIABLE, "1");
            }
        } catch (CancelledException e) {
            throw e;
        } catch (IOException | LinkageError | RuntimeException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            System.getLogger(Telemetry.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "ONNX Runtime may report its use over the network; start the JVM with the environment variable "
                                    + VARIABLE + "=1",
                            e);
        }
    }

    /**
     * Whether the value of the variable is an explicit wish for telemetry. The runtime disables telemetry for 1, true, yes,
     * on and y (case and surrounding blanks ignored) and enables it for any other value. An empty or meaningless value is
     * not a wish, so the variable is then overwritten.
     */
    static boolean isWanted(@Nullable String value) {
        return value != null && NO.contains(value.strip().toLowerCase(Locale.ROOT));
    }

    /** Whether the library contains the variable's name; the answer is cached in a file next to it. */
    static boolean isKnownTo(Path library) throws IOException {
        Path answer = library.resolveSibling(library.getFileName() + ".telemetry");
        if (Files.isRegularFile(answer)) {
            String text = Files.readString(answer);
            if (text.equals("true") || text.equals("false")) {
                return text.equals("true");
            }
        }
        boolean found = holds(library, VARIABLE.getBytes(StandardCharsets.US_ASCII));
        Path part = Files.createTempFile(library.toAbsolutePath().getParent(), "telemetry", ".part");
        try {
            Files.writeString(part, Boolean.toString(found));
            Files.move(part, answer, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
        return found;
    }

    private static boolean holds(Path file, byte[] wanted) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            MappedByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            for (int at = 0; at <= bytes.limit() - wanted.length; at++) {
                if (bytes.get(at) == wanted[0] && bytes.slice(at, wanted.length).equals(ByteBuffer.wrap(wanted))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Sets a variable of the native process environment; Java's view of it is unchanged. */
    static void setVariable(String name, String value) {
        loadJna();
        int failed = Platform.isWindows()
                ? Function.getFunction("ucrtbase", "_putenv_s").invokeInt(new Object[] {name, value})
                : NativeLibrary.getProcess().getFunction("setenv").invokeInt(new Object[] {name, value, 1});
        if (failed != 0) {
            throw new IllegalStateException("setenv returned " + failed);
        }
    }

    /** Loads JNA's library from the cache, unless the host configures its path. */
    private static void loadJna() {
        boolean placed = SystemProperties.anyBeginsWith("jna.");
        String file = Platform.isMac() ? "libjnidispatch.jnilib" : System.mapLibraryName("jnidispatch");
        Optional<Path> folder = placed
                ? Optional.empty()
                : UnpackedFiles.of(
                        Platform.class,
                        NativeLibraries.folder("jna"),
                        List.of("com/sun/jna/" + Platform.RESOURCE_PREFIX + "/" + file));
        if (folder.isEmpty()) {
            return;
        }
        String place = folder.get().toString();
        SystemProperties.during(Map.of("jna.boot.library.path", place, "jna.tmpdir", place), () -> {
            try {
                return Class.forName(
                        Native.class.getName()); // makes a folder at jna.tmpdir, which it does not use here
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
