package dev.pollux.inference.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** The disk and the clock, which a test can have full and fast. */
interface Surroundings {

    /** This machine's. */
    Surroundings REAL = new Surroundings() {};

    /** Bytes that may be written below a folder that exists. */
    default long freeBytes(Path folder) throws IOException {
        return Files.getFileStore(folder).getUsableSpace();
    }

    /** A file to read and write, made if it is not there. */
    default SeekableByteChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Links {@code link} to the relative {@code target}. */
    default void link(Path link, Path target) throws IOException {
        Files.createSymbolicLink(link, target);
    }

    /** Gives an existing file a second name. */
    default void hardLink(Path link, Path existing) throws IOException {
        Files.createLink(link, existing);
    }

    /** Does nothing for a while. */
    default void sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
