package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.job.JobContext;
import dev.pollux.rag.chunk.Chunk;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.Chunker;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FileVersion;
import dev.pollux.retrieval.Document;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * One ingest of a source into a store.
 *
 * <p>Changed documents are collected until they have enough passages for a commit. Then texts without a stored vector are
 * embedded, all collected documents are written, and one commit makes them durable and visible. A document is never split
 * between commits.
 */
final class Ingest implements DocumentSink {

    private static final int MAX_ID_LENGTH = 4096;
    private static final int MAX_NOTICES = 1000;
    private static final int MAX_PENDING_CHARACTERS = 1 << 23;

    /** Commits that take longer, as those of a large knowledge base, take at most one part in {@link #COMMIT_SHARE} of the time. */
    private static final long SHORT_COMMIT = 200_000_000; // nanoseconds

    private static final int COMMIT_SHARE = 10;

    private final Store store;
    private final Embedder embedder;
    private final ChunkOptions chunking;
    private final Chunker chunker;
    private final KnowledgeOptions options;
    private final JobContext job;
    private final PassageVectors vectors;
    private final KnownFiles files;
    private final RecordFiles recordFiles = new RecordFiles();
    private final long begin = System.nanoTime();

    private final SourceIdentity.Found identity;
    private final SourceRecord source;
    private final DocumentTable documents = new DocumentTable();
    private final boolean shares; // whether there are other sources, which may have the same files
    private final Map<String, String> texts =
            new HashMap<>(); // hash of the text of each document, by path; if it shares
    private final Map<String, String> knownTexts; // hash of the text of each known document, by id; if it shares
    private final VanishedDocuments vanished = new VanishedDocuments();
    private final Map<String, List<String>> reservations = new HashMap<>(); // reported when the document is written
    private final SkippedCount skippedFiles = new SkippedCount();
    private final List<Changed> pending = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();
    private long lastCommit = begin;
    private long commitTime; // of the last commit, in nanoseconds
    private int pendingPassages;
    private long pendingCharacters;
    private long expected = -1;
    private long done;
    private int added;
    private int updated;
    private int unchanged;
    private int failedRecords;
    private int deletedElsewhere;
    private int skipped;
    private int passages;
    private int stamped; // unchanged documents of changed files, and files with a document for each record

    /** A document to write. */
    private record Changed(Document document, List<Chunk> chunks, String hash, String version, KnownFiles.Stamp file) {}

    Ingest(Store store, Embedder embedder, KnowledgeOptions options, DocumentSource from, JobContext job) {
        this.store = store;
        this.embedder = embedder;
        this.options = options;
        this.chunking = options.chunking().or(store.chunking()::options).orElse(ChunkOptions.DEFAULTS);
        this.chunker = Chunker.of(embedder, chunking);
        this.job = job;
        this.files = new KnownFiles(chunker.recipe() + Analysis.RECIPE);
        this.identity = store.read(snapshot -> SourceIdentity.of(from, snapshot));
        this.source = identity.source();
        this.shares = store.read(snapshot ->
                snapshot.sources().all().stream().anyMatch(other -> !other.key().equals(source.key())));
        this.knownTexts =
                shares ? store.read(snapshot -> snapshot.values(source.key(), IndexLayout.CONTENT_HASH)) : Map.of();
        store.read(snapshot -> {
            snapshot.values(source.key(), IndexLayout.VERSION, documents::know);
            files.know(snapshot, source.key());
            recordFiles.know(snapshot, source.key());
            return snapshot;
        });
        this.vectors = new PassageVectors(store, embedder, options, job);
    }

    /** @param whole whether documents that {@code from} does not have are deleted */
    IngestReport run(DocumentSource from, boolean whole) {
        identity.notices().forEach(this::notice);
        try (vectors) {
            ruled(from).read(this);
            write();
        }
        if (whole) {
            vanished.delete(store, source.key(), documents, recordFiles);
            added -= vanished.renamed();
            deleteStaleCopies();
            deleteAbsorbed();
        }
        finish();
        measure();
        return new IngestReport(
                source.name(),
                added,
                updated,
                unchanged,
                vanished.deleted(),
                vanished.renamed(),
                failedRecords,
                skipped,
                skippedFiles.files(),
                passages,
                vectors.embedded(),
                passages - vectors.embedded(),
                Duration.ofNanos(System.nanoTime() - begin),
                notices);
    }

    /** The source under the rules of its last ingest, unless it has rules of its own. */
    private DocumentSource ruled(DocumentSource from) {
        return from.metadataRules().isPresent() ? from : from.withMetadata(source.rules());
    }

    @Override
    public void expect(long documents) {
        expected = documents;
    }

    @Override
    public boolean isUnchanged(String id, FileVersion version) {
        checkRunning();
        if (RecordFiles.isPrefix(id)) {
            return areUnchanged(id, version);
        }
        boolean known = files.isUnchanged(id, version) && documents.see(id);
        if (known) {
            if (shares) {
                texts.put(source.pathOf(version.path(), id), knownTexts.getOrDefault(id, ""));
            }
            unchanged++;
            progress();
        }
        return known;
    }

    private boolean areUnchanged(String prefix, FileVersion version) {
        boolean whole = recordFiles.isWhole(prefix);
        if (!files.isUnchanged(prefix, version) || !whole) {
            recordFiles.begin();
            return false;
        }
        vanished.keep(prefix);
        knownTexts.forEach((id, text) -> {
            if (id.startsWith(prefix)) {
                texts.put(source.pathOf(version.path(), id), text);
            }
        });
        unchanged += recordFiles.documents(prefix);
        done += recordFiles.documents(prefix) - 1;
        progress();
        return true;
    }

    @Override
    public void complete(String id, FileVersion version) {
        recordFiles.end(id, files.stamp(id));
    }

    @Override
    public void document(Document given, FileVersion version) {
        document(given, files.stamp(given.id()));
    }

    @Override
    public void document(Document given) {
        document(given, KnownFiles.Stamp.NONE);
    }

    private void document(Document given, KnownFiles.Stamp file) {
        checkRunning();
        Document document = FrontMatterMetadata.added(given);
        String id = document.id();
        if (id.length() > MAX_ID_LENGTH) {
            skipped(id, "has an id longer than " + MAX_ID_LENGTH + " characters");
            return;
        }
        if (!documents.see(id)) {
            skipped(id, "occurs twice in its source; the first is kept");
            return;
        }
        if (shares) {
            texts.put(source.pathOf(document.path(), id), Hashes.ofContent(document.text()));
        }
        String hash = Hashes.of(document);
        String version = Hashes.of(hash, chunker.recipe(), Analysis.RECIPE);
        recordFiles.add(id, version);
        List<String> reserved = Objects.requireNonNullElse(reservations.remove(id), List.<String>of());
        if (documents.isKnown(id, version)) {
            unchanged++;
            if (!file.content().isEmpty()) {
                store.stamp(IndexLayout.key(source.key(), id), file);
                stamped++;
            }
        } else {
            reserved.forEach(message -> notice(id + " " + message));
            add(new Changed(document, chunker.split(document), hash, version, file));
        }
        progress();
    }

    @Override
    public void skipped(String id, String reason) {
        recordFiles.spoil();
        vanished.keep(id);
        skipped++;
        skippedFiles.unreadable(id, reason);
        notice(id + " " + reason);
        progress();
    }

    @Override
    public void failedRecord(String id, String reason) {
        failedRecords++;
        skipped(id, reason);
    }

    @Override
    public void unread(String id, String kind, String reason) {
        checkRunning();
        skippedFiles.unread(id, kind, reason);
    }

    @Override
    public void notice(String id, String message) {
        reservations.computeIfAbsent(id, key -> new ArrayList<>()).add(message);
    }

    private void notice(String message) {
        job.notice(message);
        if (notices.size() < MAX_NOTICES) {
            notices.add(message);
        }
    }

    private void progress() {
        job.progress("read", ++done, expected, "documents");
    }

    private void add(Changed changed) {
        pending.add(changed);
        pendingPassages += changed.chunks().size();
        pendingCharacters += changed.document().text().length();
        if (pendingPassages >= options.commitPassages() || pendingCharacters >= MAX_PENDING_CHARACTERS) {
            write();
            if (commitTime < SHORT_COMMIT || System.nanoTime() - lastCommit > COMMIT_SHARE * commitTime) {
                commit();
            }
        }
    }

    /** Embeds new texts and writes the pending documents, without a commit. */
    private void write() {
        if (!pending.isEmpty()) {
            record(Instant.now());
        }
        Map<String, float[]> rows = vectors.of(
                pending.stream().flatMap(changed -> changed.chunks().stream()).toList()); // each (dimension)
        for (Changed changed : pending) {
            Document document = changed.document();
            PassageWriter block = new PassageWriter(source.key(), document);
            for (Chunk chunk : changed.chunks()) {
                String key = PassageVectors.key(chunk);
                block.passage(chunk, key, Objects.requireNonNull(rows.get(key)));
            }
            store.replace(
                    IndexLayout.key(source.key(), document.id()),
                    block.finish(changed.hash(), changed.version(), changed.file()));
            passages += changed.chunks().size();
            if (documents.isKnown(document.id())) {
                updated++;
            } else {
                added++;
                if (documents.known() > 0) {
                    vanished.added(document.text());
                }
            }
        }
        stamped += recordFiles.write(store, source.key());
        pending.clear();
        pendingPassages = 0;
        pendingCharacters = 0;
    }

    /** Deletes documents of other sources whose file this source has also read and found changed or missing. */
    private void deleteStaleCopies() {
        for (SharedFiles.Stale stale : store.read(snapshot -> SharedFiles.stale(snapshot, source, texts))) {
            store.delete(IndexLayout.key(stale.source(), stale.id()));
            deletedElsewhere++;
        }
    }

    /** Deletes sources that were moved into this one. */
    private void deleteAbsorbed() {
        Set<String> held = Set.copyOf(texts.values());
        for (SourceRecord other : store.read(snapshot -> SharedFiles.absorbed(snapshot, source, held))) {
            store.deleteSource(other.key());
            notice("source " + other.name() + ", read from " + other.path() + " before, is now part of "
                    + source.name());
            SourceIdentity.endedRules(other, source).ifPresent(this::notice);
            deletedElsewhere++;
        }
    }

    private void finish() {
        SourceRecord now = recorded(Instant.now());
        Optional<SourceRecord> before =
                store.read(snapshot -> snapshot.sources().find(source.key()));
        boolean changed = added + updated + vanished.deleted() + vanished.renamed() + deletedElsewhere > 0;
        if (changed || before.filter(now::agrees).isEmpty()) {
            record(now.changed());
            commit();
        } else if (stamped > 0) {
            commit();
        } else {
            job.progress("commit", unchanged, expected, "documents");
        }
    }

    /** Measures the embedder's scale if it is missing or outdated, in a separate commit. */
    private void measure() {
        int passages = store.read(Snapshot::passageCount);
        Optional<MeasuredScale> known = store.read(Snapshot::scale);
        if (passages > 0 && known.filter(scale -> scale.serves(passages)).isEmpty()) {
            store.scale(KnowledgeScale.measured(store, embedder, job));
            store.commit();
        }
    }

    private void record(Instant changed) {
        store.replace(source.key(), List.of(recorded(changed).fields()));
        for (SourceRecord other : identity.renamed()) {
            store.replace(other.key(), List.of(other.fields()));
        }
    }

    private SourceRecord recorded(Instant changed) {
        return new SourceRecord(
                source.key(),
                source.name(),
                source.named(),
                source.path(),
                source.link(),
                changed,
                skippedFiles.files(),
                source.rules());
    }

    private void commit() {
        long from = System.nanoTime();
        store.cutBy(StoredChunking.of(chunker, chunking));
        store.commit();
        lastCommit = System.nanoTime();
        commitTime = lastCommit - from;
        job.progress("commit", added + updated + unchanged, expected, "documents");
    }

    private void checkRunning() {
        job.checkCancelled();
        store.checkOpen();
    }
}
