package dev.pollux.rag.knowledge;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.embedding.Embedder;
import dev.pollux.internal.Interrupts;
import dev.pollux.job.JobContext;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Filter;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The changes to a knowledge base, one at a time; see {@link KnowledgeBase} for their contracts. <em>Thread-safe.</em> */
final class KnowledgeWrites {

    private final Store store;
    private final Embedder embedder;
    private final KnowledgeOptions options;
    private final IndexMaintenance maintenance;
    private final ReentrantLock writing = new ReentrantLock();

    KnowledgeWrites(Store store, Embedder embedder, KnowledgeOptions options) {
        this.store = store;
        this.embedder = embedder;
        this.options = options;
        options.chunking()
                .filter(given -> hasPassages(store))
                .ifPresent(given ->
                        store.chunking().check(given, embedder, store.files().folder()));
        this.maintenance = new IndexMaintenance(store, options, writing);
    }

    private static boolean hasPassages(Store store) {
        return store.read(Snapshot::passageCount) > 0;
    }

    /** Builds in the background what is missing. */
    void changed() {
        maintenance.changed();
    }

    /** @param whole whether documents that the source does not have are deleted */
    IngestReport ingest(DocumentSource source, boolean whole, JobContext job) {
        return exclusively(() -> new Ingest(store, embedder, options, source, job).run(source, whole));
    }

    void upsert(EmbeddedDocuments documents) {
        exclusively(() -> {
            documents.write(store);
            store.commit();
            return documents;
        });
    }

    int delete(String source) {
        return exclusively(() -> {
            Optional<SourceRecord> known =
                    store.read(snapshot -> snapshot.sources().named(source));
            if (known.isEmpty()) {
                return 0;
            }
            int documents = ids(known.get()).size();
            store.deleteSource(known.get().key());
            store.commit();
            return documents;
        });
    }

    int delete(String source, Collection<String> documents) {
        return exclusively(() -> {
            Optional<SourceRecord> known =
                    store.read(snapshot -> snapshot.sources().named(source));
            Set<String> ids = known.map(this::ids).orElse(Set.of());
            Set<String> found = documents.stream().filter(ids::contains).collect(Collectors.toSet());
            found.forEach(id -> store.delete(IndexLayout.key(known.orElseThrow().key(), id)));
            if (!found.isEmpty()) {
                store.commit();
            }
            return found.size();
        });
    }

    int delete(Filter filter) {
        if (filter.equals(Filter.all())) {
            throw new IllegalArgumentException(
                    "A filter that allows every document deletes none; delete the sources by their names");
        }
        return exclusively(() -> {
            Set<String> keys =
                    store.read(snapshot -> snapshot.documents(filter)).keySet();
            keys.forEach(store::delete);
            if (!keys.isEmpty()) {
                store.commit();
            }
            return keys.size();
        });
    }

    IndexReport build(boolean anew, JobContext job) {
        return exclusively(() -> {
            if (anew) {
                ArtifactManifest.delete(store.files().folder()); // it is written again at the end
            }
            return maintenance.build(anew, job);
        });
    }

    IndexReport compact(JobContext job) {
        return exclusively(() -> {
            store.merge();
            store.commit();
            return maintenance.build(false, job);
        });
    }

    void close() {
        store.stop();
        maintenance.close();
        maintenance.await();
        writing.lock();
        try {
            store.close();
        } finally {
            writing.unlock();
        }
    }

    private Set<String> ids(SourceRecord source) {
        return store.read(snapshot -> snapshot.values(source.key(), IndexLayout.VERSION))
                .keySet();
    }

    static void checkName(String name) {
        boolean clean = name.chars().noneMatch(c -> c == '#' || Character.isISOControl(c));
        if (name.isBlank() || name.length() > 4096 || !clean) {
            throw new IllegalArgumentException(
                    "A source's name must not be blank, longer than 4096 characters or hold #"
                            + " or control characters but was '" + name + "'");
        }
    }

    private <T> T exclusively(Supplier<T> work) {
        Interrupts.lock(writing);
        try {
            store.checkWritable();
            T result = work.get();
            store.commitDerived();
            store.describe();
            maintenance.changed();
            return result;
        } catch (RuntimeException | Error e) {
            describeAfter(e);
            throw e;
        } finally {
            writing.unlock();
        }
    }

    /** Writes the manifest also after a failure, since earlier commits remain, unless it cannot be written. */
    private void describeAfter(Throwable e) {
        try {
            store.describe();
        } catch (RuntimeException suppressed) {
            e.addSuppressed(suppressed);
        }
    }
}
