package dev.pollux.inference.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** The file system and the clock, which tests replace to simulate a full disk and to skip delays. */
interface FileSystemAndClock {

    /** The real file system and clock. */
    FileSystemAndClock REAL = new FileSystemAndClock() {};

    /** The number of bytes that can be written below an existing folder. */
    default long freeBytes(Path folder) throws IOException {
        return Files.getFileStore(folder).getUsableSpace();
    }

    /** Opens a file for reading and writing; creates it if necessary. */
    default SeekableByteChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Creates the symbolic link {@code link} to the relative path {@code target}. */
    default void link(Path link, Path target) throws IOException {
        Files.createSymbolicLink(link, target);
    }

    /** Creates a hard link to an existing file. */
    default void hardLink(Path link, Path existing) throws IOException {
        Files.createLink(link, existing);
    }

    /** Waits. */
    default void sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
