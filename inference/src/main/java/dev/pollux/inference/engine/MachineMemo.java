package dev.pollux.inference.engine;

import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.internal.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/** One finding about a graph on this machine, kept in a file of the cache folder. <em>Immutable.</em> */
final class MachineMemo {

    private final Optional<Path> file; // empty if the graph's file cannot be described, or there is no cache folder

    private MachineMemo(Optional<Path> file) {
        this.file = file;
    }

    /**
     * The memo of a graph, with a runtime, a processor, a device and a number of threads.
     *
     * @param kind the name of a folder in the cache folder
     */
    static MachineMemo of(DecoderSession session, String kind) {
        try {
            Path graph = session.graph().file().toRealPath();
            BasicFileAttributes attributes = Files.readAttributes(graph, BasicFileAttributes.class);
            String key = String.join(
                    "\n",
                    graph.toString(),
                    attributes.size() + " " + attributes.lastModifiedTime().toMillis(),
                    NativeRuntime.version(),
                    session.options().device().toString(),
                    session.options().threads() + " threads",
                    processor());
            return new MachineMemo(
                    Optional.of(session.options().cache().resolve(kind).resolve(Sha256.of(key))));
        } catch (IOException | IllegalStateException e) {
            return new MachineMemo(Optional.empty());
        }
    }

    /** What identifies the kind of processor: its features where the system tells them. */
    static String processor() {
        String kind = System.getProperty("os.arch") + " " + System.getenv("PROCESSOR_IDENTIFIER");
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return kind
                    + lines.filter(line -> line.startsWith("flags") || line.startsWith("Features"))
                            .findFirst()
                            .orElse("");
        } catch (IOException | UncheckedIOException elsewhere) {
            return kind;
        }
    }

    /** What was written; empty if nothing was. */
    Optional<String> read() {
        try {
            return file.isPresent() ? Optional.of(Files.readString(file.get())) : Optional.empty();
        } catch (IOException absent) {
            return Optional.empty();
        }
    }

    /** Keeps a finding. A cache that cannot be written costs finding it again next time, and nothing else. */
    void write(String finding) {
        if (file.isEmpty()) {
            return;
        }
        try {
            Path folder = Files.createDirectories(file.get().resolveSibling(""));
            Path part = Files.createTempFile(folder, "memo", ".part");
            try {
                Files.writeString(part, finding);
                Files.move(part, file.get(), StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException unwritable) {
            return;
        }
    }
}
