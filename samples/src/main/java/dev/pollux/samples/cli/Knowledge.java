package dev.pollux.samples.cli;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import org.apache.lucene.store.LockObtainFailedException;

/** Finds, opens and updates the knowledge base that a command line means. */
final class Knowledge {

    private static final Duration PAUSE = Duration.ofMillis(100);

    private final PolluxCommand command;
    private final DocumentOptions options;
    private final ResourceOptions resources;

    Knowledge(PolluxCommand command, DocumentOptions options, ResourceOptions resources) {
        this.command = command;
        this.options = options;
        this.resources = resources;
    }

    /** Its folder: as named, else one in the cache for these documents and this embedder. */
    Path folder(Embedder embedder) {
        if (options.knowledge().isPresent()) {
            return options.knowledge().get();
        }
        Path docs = options.docs()
                .orElseThrow(() -> command.usage(
                        "say where the documents are with --docs, or which knowledge base to use with --knowledge"));
        try {
            String key = docs.toRealPath() + "\n" + embedder.info().fingerprint();
            return resources.cache().resolve("knowledge").resolve(hash(key));
        } catch (IOException e) {
            throw new StorageException("Folder " + docs + " cannot be read; check the path and its permissions", e);
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

    /**
     * Brought up to date with the documents, and open for retrieval only, so that others may write. Where another process
     * writes for longer than one cares to wait, its last commit has to do.
     */
    KnowledgeBase openUpdated(Embedder embedder) {
        Path folder = folder(embedder);
        if (options.docs().isPresent()) {
            try {
                update(embedder, folder);
            } catch (StorageException e) {
                if (!isLocked(e)) {
                    throw e;
                }
                command.output()
                        .note("another process still writes to " + folder
                                + "; going on with what it has committed so far");
            }
        }
        return KnowledgeBase.openReadOnly(folder, embedder);
    }

    /** Brings the knowledge base up to date with the documents. */
    IngestReport update(Embedder embedder, Path folder) {
        Path docs = options.docs().orElseThrow();
        try (KnowledgeBase knowledge = openWritable(folder, embedder)) {
            IngestReport report = command.run(knowledge.ingest(DocumentSource.folder(docs)));
            if (report.added() + report.updated() + report.unchanged() + report.skipped() == 0) {
                command.output().note("there are no Markdown or text files in " + docs);
            }
            return report;
        }
    }

    private KnowledgeBase openWritable(Path folder, Embedder embedder) {
        long deadline =
                System.nanoTime() + Duration.ofSeconds(options.waitSeconds()).toNanos();
        Optional<StorageException> locked = Optional.empty();
        do {
            if (locked.isPresent()) {
                pause();
            }
            try {
                return KnowledgeBase.open(folder, embedder);
            } catch (StorageException e) {
                if (!isLocked(e)) {
                    throw e;
                }
                if (locked.isEmpty() && options.waitSeconds() > 0) {
                    command.output().note("another process writes to " + folder + "; waiting for it");
                }
                locked = Optional.of(e);
            }
        } while (System.nanoTime() < deadline);
        throw locked.get();
    }

    private void pause() {
        command.pollux().interruption().during(Thread.currentThread()::interrupt, () -> {
            try {
                Thread.sleep(PAUSE.toMillis());
                return PAUSE;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancelledException("Interrupted while another process was writing", e);
            }
        });
    }

    private static boolean isLocked(StorageException e) {
        return e.getCause() instanceof LockObtainFailedException;
    }
}
