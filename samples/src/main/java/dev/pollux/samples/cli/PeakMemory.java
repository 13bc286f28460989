package dev.pollux.samples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The most memory that this process has used. */
final class PeakMemory {

    private static final Path STATUS = Path.of("/proc/self/status");

    private PeakMemory() {}

    /** Bytes of resident memory at the peak; where the system does not say, those that the JVM has now. */
    static long bytes() {
        if (Files.isReadable(STATUS)) {
            try {
                for (String line : Files.readAllLines(STATUS)) {
                    if (line.startsWith("VmHWM:")) {
                        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
                    }
                }
            } catch (IOException e) {
                return Runtime.getRuntime().totalMemory();
            }
        }
        return Runtime.getRuntime().totalMemory();
    }
}
