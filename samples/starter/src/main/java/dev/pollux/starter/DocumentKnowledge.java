package dev.pollux.starter;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import org.apache.lucene.store.LockObtainFailedException;

/**
 * The knowledge base that belongs to folders of documents: chosen, brought up to date and opened the same way by everyone
 * who names these folders, be it a {@link DocumentTwin} or the command line. <em>Immutable.</em>
 */
public final class DocumentKnowledge {

    private static final Duration PAUSE = Duration.ofMillis(100);

    private final DocumentTwinOptions options;

    private DocumentKnowledge(DocumentTwinOptions options) {
        this.options = options;
    }

    /**
     * The one that options mean; of these, {@code documents}, {@code files}, {@code knowledge}, {@code cache} and
     * {@code lockTimeout} count.
     *
     * @throws StorageException if one of the documents' folders is not there
     */
    public static DocumentKnowledge of(DocumentTwinOptions options) {
        for (Path folder : options.documents()) {
            if (!Files.isDirectory(folder)) {
                throw new StorageException(
                        Files.exists(folder)
                                ? "Cannot read documents from " + folder + ": it is a file; give the folder it is in"
                                : "There is no folder " + folder + "; check the path of the documents");
            }
        }
        return new DocumentKnowledge(options);
    }

    /**
     * Its folder: as the options name it, else one in their cache, by the real paths of the documents' folders, in whichever
     * order, and the embedder's fingerprint.
     *
     * @throws StorageException if a folder cannot be read
     */
    public Path folder(Embedder embedder) {
        return options.knowledge().orElseGet(() -> {
            TreeSet<String> paths = new TreeSet<>();
            options.documents().forEach(folder -> paths.add(realPath(folder)));
            String key = String.join("\n", paths) + "\n" + embedder.info().fingerprint();
            return options.cache().resolve("knowledge").resolve(hash(key));
        });
    }

    /**
     * A job that brings it up to date with the documents and gives a report for each folder. While another process writes, it
     * waits as long as the options say.
     *
     * @throws StorageException from the job, if the other process still writes after that, and as {@link KnowledgeBase#open}
     */
    public Job<List<IngestReport>> updating(Embedder embedder) {
        return Job.of("ingest", job -> update(embedder, job));
    }

    /**
     * A job that brings it up to date and opens it for retrieval only, so that others may write. Where another process writes
     * for longer than the options wait, its last commit has to do, and a notice says so.
     */
    public Job<KnowledgeBase> opening(Embedder embedder) {
        return Job.of("ingest", job -> {
            updateIfFree(embedder, job);
            return KnowledgeBase.openReadOnly(folder(embedder), embedder);
        });
    }

    /** The reports; empty where there are no documents to read, or another process writes. */
    private List<IngestReport> updateIfFree(Embedder embedder, JobContext job) {
        try {
            return options.documents().isEmpty() ? List.of() : update(embedder, job);
        } catch (StorageException e) {
            if (!isLocked(e)) {
                throw e;
            }
            job.notice("another process still writes to " + folder(embedder)
                    + "; going on with what it has committed so far");
            return List.of();
        }
    }

    private List<IngestReport> update(Embedder embedder, JobContext job) {
        List<IngestReport> reports = new ArrayList<>();
        try (KnowledgeBase knowledge = openWritable(embedder, job)) {
            for (Path folder : options.documents()) {
                IngestReport report = job.run(knowledge.ingest(DocumentSource.folder(folder, options.files())));
                if (report.added() + report.updated() + report.unchanged() + report.skipped() == 0) {
                    job.notice("there are no Markdown or text files in " + folder);
                }
                reports.add(report);
            }
        }
        return reports;
    }

    private KnowledgeBase openWritable(Embedder embedder, JobContext job) {
        Path folder = folder(embedder);
        long deadline = System.nanoTime() + options.lockTimeout().toNanos();
        boolean told = options.lockTimeout().isZero();
        while (true) {
            try {
                return KnowledgeBase.open(folder, embedder);
            } catch (StorageException e) {
                if (!isLocked(e) || System.nanoTime() >= deadline) {
                    throw e;
                }
                if (!told) {
                    job.notice("another process writes to " + folder + "; waiting for it");
                    told = true;
                }
            }
            pause(job);
        }
    }

    private static void pause(JobContext job) {
        job.checkCancelled();
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("Interrupted while another process was writing", e);
        }
    }

    private static boolean isLocked(StorageException e) {
        return e.getCause() instanceof LockObtainFailedException;
    }

    private static String realPath(Path folder) {
        try {
            return folder.toRealPath().toString();
        } catch (IOException e) {
            throw new StorageException("Folder " + folder + " cannot be read; check the path and its permissions", e);
        }
    }

    private static String hash(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
