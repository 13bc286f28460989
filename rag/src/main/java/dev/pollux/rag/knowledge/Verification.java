package dev.pollux.rag.knowledge;

import dev.pollux.CancelledException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.job.JobContext;
import dev.pollux.rag.knowledge.VerifyReport.Fault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;

/** Reads every file of the newest commit and compares checksums. It needs no lock and no embedder. */
final class Verification {

    /*
     * Every file of Lucene ends with a checksum of itself, and the commit data have one of each derived file. The manifest has
     * none; it is a function of the commit, which names the version that made it, and is made again and compared. A writer
     * deletes the files of a commit after the next one, so faults of a commit that is not the newest any more mean nothing, and
     * the newest is verified.
     */

    private static final int ATTEMPTS = 10;

    private final Path folder;
    private final JobContext job;
    private final List<Fault> faults = new ArrayList<>();
    private int files;
    private long bytes;

    Verification(Path folder, JobContext job) {
        this.folder = folder;
        this.job = job;
    }

    VerifyReport run() {
        long begin = System.nanoTime();
        try (Directory directory = FSDirectory.open(folder.resolve(StoreFolder.INDEX))) {
            for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
                faults.clear();
                files = 0;
                bytes = 0;
                String name = verify(directory);
                if (faults.isEmpty() || name.equals(newest(directory))) {
                    break;
                }
            }
        } catch (IOException | RuntimeException e) {
            if (e instanceof CancelledException cancelled) {
                throw cancelled;
            }
            faults.add(new Fault(StoreFolder.INDEX, "cannot be read: " + e.getMessage(), false));
        }
        return new VerifyReport(files, bytes, faults, Duration.ofNanos(System.nanoTime() - begin));
    }

    /** Reads the files of the newest commit and returns its name; empty if there is none. */
    private String verify(Directory directory) throws IOException {
        String name = newest(directory);
        if (name.isEmpty()) {
            faults.add(new Fault(StoreFolder.INDEX, "has no commit", false));
            return name;
        }
        SegmentInfos commit;
        try {
            commit = SegmentInfos.readCommit(directory, name);
        } catch (IOException | RuntimeException e) {
            faults.add(new Fault(StoreFolder.INDEX + "/" + name, "is damaged: " + e.getMessage(), false));
            return name;
        }
        int done = 0;
        TreeSet<String> names = new TreeSet<>(commit.files(true));
        for (String file : names) {
            job.checkCancelled();
            check(directory, file);
            job.progress("verify", ++done, names.size(), "files");
        }
        DerivedFiles derived = DerivedFiles.of(folder, commit.getUserData());
        for (DerivedFile file : derived.all()) {
            job.checkCancelled();
            check(file, derived.path(file));
        }
        if (faults.isEmpty() && ArtifactManifest.isIn(folder)) {
            manifest(directory, commit);
        }
        return name;
    }

    private static String newest(Directory directory) throws IOException {
        String name = SegmentInfos.getLastCommitSegmentsFileName(directory);
        return name == null ? "" : name;
    }

    private void check(Directory directory, String name) {
        try (IndexInput input = directory.openInput(name, IOContext.READONCE)) {
            files++;
            bytes += input.length();
            CodecUtil.checksumEntireFile(input);
        } catch (IOException | RuntimeException e) {
            faults.add(new Fault(StoreFolder.INDEX + "/" + name, "is damaged: " + e.getMessage(), false));
        }
    }

    private void check(DerivedFile expected, Path path) {
        String name = DerivedFiles.FOLDER + "/" + expected.name();
        if (!Files.exists(path)) {
            faults.add(new Fault(name, "is missing", true));
            return;
        }
        CRC32C crc = new CRC32C();
        try (InputStream in = new CheckedInputStream(Files.newInputStream(path), crc)) {
            files++;
            long length = in.transferTo(java.io.OutputStream.nullOutputStream());
            bytes += length;
            if (length != expected.length() || (int) crc.getValue() != expected.checksum()) {
                faults.add(new Fault(name, "is damaged: its checksum is not that of the commit", true));
            }
        } catch (IOException e) {
            faults.add(new Fault(name, "cannot be read: " + e.getMessage(), true));
        }
    }

    private void manifest(Directory directory, SegmentInfos commit) throws IOException {
        files++;
        bytes += Files.size(folder.resolve(ArtifactManifest.FILE));
        Path expected = Files.createTempDirectory("pollux");
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
            ArtifactManifest.read(folder);
            KnowledgeManifest.of(reader).write(expected);
            if (reader.getIndexCommit().getGeneration() == commit.getGeneration()
                    && Files.mismatch(folder.resolve(ArtifactManifest.FILE), expected.resolve(ArtifactManifest.FILE))
                            >= 0) {
                faults.add(new Fault(ArtifactManifest.FILE, "does not describe the newest commit", true));
            }
        } catch (RuntimeException e) {
            faults.add(new Fault(ArtifactManifest.FILE, "is damaged: " + e.getMessage(), true));
        } finally {
            Files.deleteIfExists(expected.resolve(ArtifactManifest.FILE));
            Files.deleteIfExists(expected);
        }
    }
}
