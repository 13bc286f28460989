package dev.pollux.benchmarks.micro;

import java.io.IOException;
import org.openjdk.jmh.Main;

/**
 * Runs the micro-measurements, with the arguments of JMH.
 *
 * <pre>
 * Micro                              all of them, some minutes
 * Micro Sampler -p vocabulary=49152  those whose name has Sampler, for one vocabulary
 * Micro -prof gc Search              with the memory that each call takes
 * Micro -l                           their names
 * </pre>
 */
public final class Micro {

    private Micro() {}

    /** Runs those that the arguments name. */
    public static void main(String[] args) throws IOException {
        Main.main(args);
    }
}
