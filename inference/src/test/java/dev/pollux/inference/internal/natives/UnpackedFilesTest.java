package dev.pollux.inference.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OrtEnvironment;
import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedFilesTest {

    private static final String IN_JAR = "ai/onnxruntime/OrtEnvironment.class";
    private static final String IN_FOLDER = UnpackedFilesTest.class.getName().replace('.', '/') + ".class";
    private static final String LARGE = "ai/onnxruntime/native/linux-x64/libonnxruntime.so";
    private static final int ROUNDS = 8;
    private static final FileTime OLD = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));

    @TempDir
    Path temp;

    @Test
    void resourcesOfJarsAndFoldersAreUnpackedAsTheyAre() throws IOException {
        assertThat(Files.readAllBytes(unpack(OrtEnvironment.class, IN_JAR).resolve("OrtEnvironment.class")))
                .isEqualTo(bytes(IN_JAR));
        assertThat(Files.readAllBytes(unpack(UnpackedFilesTest.class, IN_FOLDER).resolve("UnpackedFilesTest.class")))
                .isEqualTo(bytes(IN_FOLDER));
    }

    @Test
    void aFileThatIsThereIsTaken() throws IOException {
        Path file = unpack(OrtEnvironment.class, IN_JAR).resolve("OrtEnvironment.class");
        Files.setLastModifiedTime(file, OLD);

        unpack(OrtEnvironment.class, IN_JAR);

        assertThat(Files.getLastModifiedTime(file)).isEqualTo(OLD);
    }

    @Test
    void aDamagedFileIsWrittenAnew() throws IOException {
        Path file = unpack(OrtEnvironment.class, IN_JAR).resolve("OrtEnvironment.class");
        byte[] damaged = bytes(IN_JAR);
        damaged[damaged.length / 2] ^= 1;
        Files.write(file, damaged);

        unpack(OrtEnvironment.class, IN_JAR);

        assertThat(Files.readAllBytes(file)).isEqualTo(bytes(IN_JAR));
    }

    @Test
    void partsThatAKilledProcessLeftAreDeletedAndThoseOfARunningOneStay() throws IOException {
        Path folder = unpack(OrtEnvironment.class, IN_JAR);
        Path left = Files.writeString(folder.resolve("left.part"), "");
        Files.setLastModifiedTime(left, OLD);
        Path inWork = Files.writeString(folder.resolve("inWork.part"), "");
        Files.delete(folder.resolve("OrtEnvironment.class"));

        unpack(OrtEnvironment.class, IN_JAR);

        assertThat(left).doesNotExist();
        assertThat(inWork).exists();
    }

    @Test
    void resourcesThatAreAbsentAreLeftOut() throws IOException {
        assertThat(UnpackedFiles.of(OrtEnvironment.class, temp, List.of("ai/onnxruntime/absent")))
                .isEmpty();
        assertThat(temp).isEmptyDirectory();
        assertThat(UnpackedFiles.of(OrtEnvironment.class, temp, List.of("ai/onnxruntime/absent", IN_JAR)))
                .isEqualTo(Optional.of(unpack(OrtEnvironment.class, IN_JAR)));
    }

    @Test
    void manyAtOnceEndWithTheSameFile() throws Exception {
        int many = 8;
        ExecutorService threads = Executors.newFixedThreadPool(many);
        try {
            CyclicBarrier together = new CyclicBarrier(many);
            Callable<Path> unpacking = () -> {
                together.await();
                return unpack(OrtEnvironment.class, IN_JAR);
            };
            List<Future<Path>> folders = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                folders.add(threads.submit(unpacking));
            }
            Path expected = folders.get(0).get();
            for (Future<Path> folder : folders) {
                assertThat(folder.get()).isEqualTo(expected);
            }
            try (Stream<Path> files = Files.list(expected)) {
                assertThat(files).containsExactly(expected.resolve("OrtEnvironment.class"));
            }
            assertThat(Files.readAllBytes(expected.resolve("OrtEnvironment.class")))
                    .isEqualTo(bytes(IN_JAR));
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aCacheThatCannotBeWrittenIsNamedWithTheRemedy() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "");

        assertThatThrownBy(() -> UnpackedFiles.of(OrtEnvironment.class, file, List.of(IN_JAR)))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith("Cannot unpack native libraries into " + file + ": ")
                .hasMessageEndingWith(
                        "; set the system property pollux.cache or the variable POLLUX_CACHE to a folder that"
                                + " can be written");
    }

    @Test
    void anInterruptBeforeItEndsItAndLeavesNothing() throws IOException {
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> unpack(OrtEnvironment.class, IN_JAR)).isInstanceOf(CancelledException.class);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(files(temp)).isEmpty();
        Path file = unpack(OrtEnvironment.class, IN_JAR).resolve("OrtEnvironment.class");
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> unpack(OrtEnvironment.class, IN_JAR)).isInstanceOf(CancelledException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(file).hasBinaryContent(bytes(IN_JAR));
    }

    @Test
    void anInterruptAtAnyMomentLeavesWholeFilesOnly() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            Path folder = Files.createDirectory(temp.resolve("round" + round));
            AtomicReference<Object> end = new AtomicReference<>();
            AtomicBoolean interrupted = new AtomicBoolean();
            Thread unpacking = new Thread(() -> {
                try {
                    end.set(UnpackedFiles.of(OrtEnvironment.class, folder, List.of(LARGE)));
                } catch (CancelledException e) {
                    end.set(e);
                }
                interrupted.set(Thread.currentThread().isInterrupted());
            });
            unpacking.start();
            TimeUnit.MICROSECONDS.sleep(random.nextInt(150_000));
            unpacking.interrupt();
            unpacking.join();

            assertThat(end.get()).isNotNull();
            if (end.get() instanceof CancelledException) {
                assertThat(interrupted).isTrue();
            }
            assertThat(files(folder)).allSatisfy(file -> assertThat(file).hasBinaryContent(bytes(LARGE)));
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    private Path unpack(Class<?> anchor, String resource) {
        return UnpackedFiles.of(anchor, temp, List.of(resource)).orElseThrow();
    }

    private static byte[] bytes(String resource) throws IOException {
        try (InputStream in = UnpackedFilesTest.class.getResourceAsStream("/" + resource)) {
            return in.readAllBytes();
        }
    }
}
