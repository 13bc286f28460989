package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/** Waits for changes of files: their names, sizes or times. <em>Confined to one thread.</em> */
final class FolderWatch {

    /*
     * The files are listed every second. A watch service would tell changes sooner on Linux, has a limit of folders there, polls
     * less often on macOS, and tells nothing on network drives. A change is answered when nothing has changed for a second, so
     * that files that are still being copied are not read.
     */

    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final List<Path> places;
    private long known;

    FolderWatch(List<Path> places) {
        this.places = places;
        this.known = state();
    }

    /**
     * Waits for a change and then for a quiet second.
     *
     * @param ended whether to give up
     * @return false if it was ended
     */
    boolean await(BooleanSupplier ended) throws InterruptedException {
        long last = known;
        while (!ended.getAsBoolean()) {
            Thread.sleep(PAUSE.toMillis());
            long now = state();
            if (now != known && now == last) {
                known = now;
                return true;
            }
            last = now;
        }
        return false;
    }

    private long state() {
        long[] state = {0};
        for (Path place : places) {
            try {
                Files.walkFileTree(place, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                        String name = String.valueOf(folder.getFileName());
                        boolean hidden = !folder.equals(place) && name.startsWith(".");
                        return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        // A sum, so that the order of a listing is of no importance.
                        state[0] += 31L
                                * Objects.hash(
                                        file,
                                        attributes.size(),
                                        attributes.lastModifiedTime().toMillis());
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e) {
                        return FileVisitResult.CONTINUE; // it vanished
                    }
                });
            } catch (IOException e) {
                throw new StorageException("Folder " + place + " cannot be listed; check its permissions", e);
            }
        }
        return state[0];
    }
}
