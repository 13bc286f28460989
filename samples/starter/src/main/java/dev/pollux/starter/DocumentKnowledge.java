package dev.pollux.starter;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.internal.Sha256;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.knowledge.EmbeddingCache;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FolderOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.lucene.store.LockObtainFailedException;

/**
 * The knowledge base of a set of document folders. Every {@link DocumentTwin} and the command line choose, update and open
 * it in the same way. <em>Immutable.</em>
 */
public final class DocumentKnowledge {

    private static final Duration PAUSE = Duration.ofMillis(100);

    private final DocumentTwinOptions options;

    private DocumentKnowledge(DocumentTwinOptions options) {
        this.options = options;
    }

    /**
     * Returns the knowledge base that the options select. Only {@code documents}, {@code sources}, {@code files},
     * {@code metadata}, {@code chunking}, {@code knowledge}, {@code cache}, {@code embeddingCache} and {@code lockTimeout} are used.
     *
     * @throws StorageException if one of the document folders or files does not exist
     */
    public static DocumentKnowledge of(DocumentTwinOptions options) {
        for (Path place : options.documents()) {
            if (!Files.exists(place)) {
                throw new StorageException("There is no file or folder " + place + "; check the path of the documents");
            }
        }
        return new DocumentKnowledge(options);
    }

    /**
     * Returns the folder of the knowledge base. If the options name none, it is a folder in their cache, derived from the
     * real paths of the document folders in any order, the selection of their files, the chunking if it is not the default,
     * the embedder's fingerprint and the format of the knowledge base.
     */
    public Path folder(Embedder embedder) {
        return options.knowledge().orElseGet(() -> {
            FolderOptions files = options.files();
            List<String> key = new ArrayList<>(new TreeSet<>(sources().keySet()));
            key.add(embedder.info().fingerprint());
            key.add(KnowledgeBase.FORMAT + " " + files.include() + files.exclude() + files.gitignore());
            options.metadata().orElse(List.of()).forEach(rule -> key.add(rule.toString()));
            options.chunking()
                    .filter(given -> !given.equals(ChunkOptions.DEFAULTS))
                    .ifPresent(given -> key.add(given.toString()));
            return options.cache().resolve("knowledge").resolve(hash(String.join("\n", key)));
        });
    }

    /**
     * Returns a job that updates the knowledge base from the documents and returns a report for each folder. While another
     * process writes, the job waits for the lock timeout of the options.
     *
     * @throws StorageException from the job, if the other process still writes after the timeout, and as
     *     {@link KnowledgeBase#open}
     */
    public Job<List<IngestReport>> updating(Embedder embedder) {
        return Job.of("ingest", job -> update(embedder, job));
    }

    /**
     * Returns a job that updates the knowledge base and opens it read-only, so that other processes can write. If another
     * process writes for longer than the lock timeout, the job opens its last commit and reports a notice.
     */
    public Job<KnowledgeBase> openJob(Embedder embedder) {
        return Job.of("ingest", job -> {
            updateIfFree(embedder, job);
            return KnowledgeBase.openReadOnly(folder(embedder), embedder);
        });
    }

    /** The reports; empty if there are no documents to read or another process writes. */
    private List<IngestReport> updateIfFree(Embedder embedder, JobContext job) {
        try {
            return options.documents().isEmpty() && options.sources().isEmpty() ? List.of() : update(embedder, job);
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
            for (DocumentSource source : sources().values()) {
                IngestReport report = job.run(knowledge.ingest(source));
                if (report.added() + report.updated() + report.unchanged() + report.skipped() == 0) {
                    job.notice("there are no Markdown or text files in " + source.path());
                }
                reports.add(report);
            }
            job.run(knowledge.index());
        }
        return reports;
    }

    /** The sources by path, in the order of the options; duplicate paths of one source are merged. */
    private Map<String, DocumentSource> sources() {
        Map<String, DocumentSource> sources = new LinkedHashMap<>();
        for (Path place : options.documents()) {
            DocumentSource source = Files.isDirectory(place)
                    ? DocumentSource.folder(place, options.files())
                    : DocumentSource.file(place, options.files());
            sources.putIfAbsent(source.path(), ruled(source));
        }
        for (DocumentSource source : options.sources()) {
            String place = source.path().isEmpty() ? source.name() : source.path();
            sources.put(place, ruled(source));
        }
        return sources;
    }

    private DocumentSource ruled(DocumentSource source) {
        return options.metadata().map(source::withMetadata).orElse(source);
    }

    private KnowledgeBase openWritable(Embedder embedder, JobContext job) {
        Path folder = folder(embedder);
        long deadline = System.nanoTime() + options.lockTimeout().toNanos();
        boolean told = options.lockTimeout().isZero();
        while (true) {
            try {
                return KnowledgeBase.open(folder, embedder, knowledgeOptions());
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

    private KnowledgeOptions knowledgeOptions() {
        KnowledgeOptions.Builder made = KnowledgeOptions.builder();
        options.chunking().ifPresent(made::chunking);
        return options.embeddingCache()
                ? made.embeddingCache(new EmbeddingCache(options.cache().resolve("embeddings")))
                        .build()
                : made.build();
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

    private static String hash(String key) {
        return Sha256.of(key).substring(0, 32);
    }
}
