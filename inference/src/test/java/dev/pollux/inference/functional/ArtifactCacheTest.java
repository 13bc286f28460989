package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.job.JobContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactCacheTest {

    private static final String MARK = "made.txt";
    /** Long enough ago that a file counts as settled. */
    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));

    @TempDir
    Path temp;

    private Path root;
    private ArtifactCache cache;
    private final AtomicInteger made = new AtomicInteger();

    @BeforeEach
    void open() throws IOException {
        root = Files.createDirectories(temp.resolve("cache"));
        cache = ArtifactCache.in(root, MARK);
    }

    @Test
    void aFolderIsMadeOnceAndFoundAgainByTheContentOfItsSources() throws IOException {
        Path folder = folder(List.of(source("a", "model.bin", "weights")));
        assertThat(folder.resolve(MARK)).hasContent("made 1");
        assertThat(folder).hasParent(root);
        assertThat(folder(List.of(source("a", "model.bin", "weights")))).isEqualTo(folder);
        assertThat(folder(List.of(source("b", "model.bin", "weights"))))
                .as("the same file elsewhere")
                .isEqualTo(folder);
        assertThat(made).hasValue(1);
    }

    @Test
    void whatTheFolderDependsOnTellsFoldersApart() throws IOException {
        Path weights = source("a", "model.bin", "weights");
        Set<Path> folders = Set.of(
                folder(List.of(weights)),
                cache.folder(List.of(weights), "int8", this::make, JobContext.NONE),
                folder(List.of(source("b", "model.bin", "Weights"))),
                folder(List.of(source("c", "other.bin", "weights"))),
                folder(List.of(weights, source("d", "config.json", "{}"))));
        assertThat(folders).hasSize(5);
        assertThat(made).hasValue(5);
    }

    @Test
    void aFolderWithoutItsMarkIsMadeAgain() throws IOException {
        List<Path> sources = List.of(source("a", "model.bin", "weights"));
        Path folder = folder(sources);
        Files.delete(folder.resolve(MARK));
        Files.writeString(folder.resolve("half.onnx"), "of an older build");
        assertThat(folder(sources)).isEqualTo(folder);
        assertThat(folder.resolve(MARK)).hasContent("made 2");
        assertThat(folder.resolve("half.onnx")).doesNotExist();
    }

    @Test
    void whatAKilledProcessLeftIsDeletedAndThatOfOthersIsNot() throws IOException {
        List<Path> sources = List.of(source("a", "model.bin", "weights"));
        Path folder = folder(sources);
        Files.delete(folder.resolve(MARK));
        Path left = Files.createDirectories(root.resolve("." + folder.getFileName() + ".part/deep"));
        Files.writeString(left.resolve("weights.bin"), "half");
        Path other = Files.createDirectories(root.resolve(".0123-other.part"));
        folder(sources);
        assertThat(left.getParent()).doesNotExist();
        assertThat(other).exists();
    }

    @Test
    void threadsThatWantTheSameFolderMakeItOnce() throws Exception {
        List<Path> sources = List.of(source("a", "model.bin", "weights"));
        int threads = 8;
        CountDownLatch start = new CountDownLatch(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Path>> folders = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                Callable<Path> wanted = () -> {
                    start.countDown();
                    start.await();
                    return folder(sources);
                };
                folders.add(pool.submit(wanted));
            }
            for (Future<Path> folder : folders) {
                assertThat(folder.get()).isEqualTo(folders.get(0).get());
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(made).hasValue(1);
    }

    @Test
    void nothingIsLeftWhereTheMakerFails() throws IOException {
        Path target = temp.resolve("exports/model");
        assertThatThrownBy(() -> WorkFolder.publish(target, JobContext.NONE, folder -> {
                    make(folder);
                    throw new IllegalStateException("out of luck");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("out of luck");
        assertThat(target.getParent()).isEmptyDirectory();
    }

    @Test
    void nothingIsPublishedOnceTheJobIsCancelled() {
        Path target = temp.resolve("exports/model");
        try {
            assertThatThrownBy(() -> WorkFolder.publish(target, JobContext.NONE, folder -> {
                        make(folder);
                        Thread.currentThread().interrupt();
                        return made;
                    }))
                    .isInstanceOf(CancelledException.class)
                    .hasMessage("The job was cancelled; nothing unfinished was published");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(target.getParent()).isEmptyDirectory();
    }

    @Test
    void aFolderThatIsThereIsNotWrittenOver() throws IOException {
        Path target = Files.createDirectories(temp.resolve("exports/model"));
        Files.writeString(target.resolve("mine.txt"), "kept");
        assertThatThrownBy(() -> WorkFolder.publish(target, JobContext.NONE, this::make))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith("Cannot publish " + target + ": ");
        assertThat(names(target.getParent())).containsExactly("model");
        assertThat(names(target)).containsExactly("mine.txt");
    }

    @Test
    void publishingGivesWhatTheMakerGives() {
        Path target = temp.resolve("model");
        assertThat(WorkFolder.publish(target, JobContext.NONE, this::make)).isEqualTo("made 1");
        assertThat(target.resolve(MARK)).hasContent("made 1");
        assertThat(names(temp)).containsExactlyInAnyOrder("cache", "model");
    }

    @Test
    void aHashIsThatOfNamesAndBytesWhateverTheFiles() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 20; run++) {
            List<Path> files = new ArrayList<>();
            ByteArrayOutputStream hashed = new ByteArrayOutputStream();
            for (int i = random.nextInt(4); i >= 0; i--) {
                byte[] content = new byte[random.nextInt(5) == 0 ? 3 << 20 : random.nextInt(1_000)];
                random.nextBytes(content);
                Path file = Files.createDirectories(temp.resolve("run" + run)).resolve("file" + i);
                files.add(Files.write(file, content));
                hashed.writeBytes(("file" + i + "\n" + sha256(content) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            assertThat(cache.contentHash(files, JobContext.NONE))
                    .as("seed %d, run %d", seed, run)
                    .isEqualTo(sha256(hashed.toByteArray()));
        }
    }

    @Test
    void aHashIsRememberedUntilSizeOrTimeOfChangeDiffer() throws IOException {
        Path file = source("a", "model.bin", "weights");
        Files.setLastModifiedTime(file, LONG_AGO);
        String hash = cache.contentHash(List.of(file), JobContext.NONE);
        Files.writeString(file, "WEIGHTS");
        Files.setLastModifiedTime(file, LONG_AGO);
        assertThat(cache.contentHash(List.of(file), JobContext.NONE)).isEqualTo(hash);
        Files.setLastModifiedTime(file, FileTime.from(LONG_AGO.toInstant().plusSeconds(2)));
        assertThat(cache.contentHash(List.of(file), JobContext.NONE)).isNotEqualTo(hash);
    }

    @Test
    void aFileThatReplacedAnotherOfItsSizeAndTimeIsHashedAgain() throws IOException {
        Path file = source("a", "model.bin", "weights");
        Path other = source("b", "model.bin", "WEIGHTS");
        Files.setLastModifiedTime(file, LONG_AGO);
        Files.setLastModifiedTime(other, LONG_AGO);
        assumeTrue(
                Files.readAttributes(file, BasicFileAttributes.class).fileKey() != null, "files have no numbers here");
        String hash = cache.contentHash(List.of(file), JobContext.NONE);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(cache.contentHash(List.of(file), JobContext.NONE)).isNotEqualTo(hash);
    }

    @Test
    void aHashOfAFileThatChangedJustNowIsNotTrusted() throws IOException {
        Path file = source("a", "model.bin", "weights");
        FileTime now = FileTime.from(Instant.now().plusSeconds(60)); // as a clock that is ahead has it
        Files.setLastModifiedTime(file, now);
        String hash = cache.contentHash(List.of(file), JobContext.NONE);
        Files.writeString(file, "WEIGHTS");
        Files.setLastModifiedTime(file, now);
        assertThat(cache.contentHash(List.of(file), JobContext.NONE)).isNotEqualTo(hash);
    }

    @Test
    void aRememberedHashThatIsDamagedIsMadeAgain() throws IOException {
        Path file = source("a", "model.bin", "weights");
        Files.setLastModifiedTime(file, LONG_AGO);
        String hash = cache.contentHash(List.of(file), JobContext.NONE);
        for (String name : names(root.resolve("hashes"))) {
            Files.writeString(root.resolve("hashes").resolve(name), hash.substring(1));
        }
        assertThat(cache.contentHash(List.of(file), JobContext.NONE)).isEqualTo(hash);
    }

    @Test
    void aSourceThatIsNotThereIsNamed() {
        Path absent = temp.resolve("absent.bin");
        assertThatThrownBy(() -> folder(List.of(absent)))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith("Cannot hash [" + absent + "]: ");
    }

    private Path folder(List<Path> sources) {
        return cache.folder(sources, "float", this::make, JobContext.NONE);
    }

    private String make(Path folder) {
        try {
            String text = "made " + made.incrementAndGet();
            Files.writeString(folder.resolve(MARK), text);
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path source(String folder, String name, String content) throws IOException {
        return Files.writeString(
                Files.createDirectories(temp.resolve("sources").resolve(folder)).resolve(name), content);
    }

    private static List<String> names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().collect(Collectors.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
