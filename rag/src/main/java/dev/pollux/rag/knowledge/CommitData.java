package dev.pollux.rag.knowledge;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.embedding.EmbedderInfo;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The commit data of a knowledge base; see {@link IndexLayout}. */
final class CommitData {

    private static final Set<String> READ_FORMATS = IntStream.rangeClosed(IndexLayout.OLDEST_FORMAT, IndexLayout.FORMAT)
            .mapToObj(String::valueOf)
            .collect(Collectors.toUnmodifiableSet());

    private CommitData() {}

    /**
     * @param chunking of the last ingest
     * @param scale the embedder's on these documents; empty where none was measured
     * @param derived files made from the segments
     */
    static Map<String, String> of(
            EmbedderInfo embedder,
            StoredChunking chunking,
            Optional<MeasuredScale> scale,
            Collection<DerivedFile> derived) {
        Map<String, String> data = new TreeMap<>(Map.of(
                IndexLayout.COMMIT_FORMAT, String.valueOf(IndexLayout.FORMAT),
                IndexLayout.COMMIT_EMBEDDER, embedder.name(),
                IndexLayout.COMMIT_FINGERPRINT, embedder.fingerprint(),
                IndexLayout.COMMIT_DIMENSION, String.valueOf(embedder.dimension()),
                IndexLayout.COMMIT_TIME, Instant.now().toString()));
        chunking.add(data);
        String version = ArtifactManifest.builder(ArtifactManifest.Kind.KNOWLEDGE, "ingest")
                .build()
                .version();
        if (!version.isEmpty()) {
            data.put(IndexLayout.COMMIT_VERSION, version);
        }
        scale.ifPresent(measured -> data.put(IndexLayout.COMMIT_SCALE, measured.text()));
        if (!derived.isEmpty()) {
            data.put(IndexLayout.COMMIT_DERIVED, DerivedFile.text(derived));
        }
        return data;
    }

    /**
     * Rejects commits that this version or this embedder cannot use.
     *
     * @throws StorageException with the remedy
     */
    static void check(Map<String, String> data, Path folder, EmbedderInfo embedder) {
        String format = data.getOrDefault(IndexLayout.COMMIT_FORMAT, "none");
        if (!READ_FORMATS.contains(format)) {
            throw new StorageException("The knowledge base in " + folder + " has format " + format
                    + ", which another version of Pollux wrote; this one reads formats " + IndexLayout.OLDEST_FORMAT
                    + " to " + IndexLayout.FORMAT
                    + ": delete the folder and ingest the documents again, or open it with the version that wrote it");
        }
        String fingerprint = data.getOrDefault(IndexLayout.COMMIT_FINGERPRINT, "");
        if (!fingerprint.equals(embedder.fingerprint())) {
            String name = data.getOrDefault(IndexLayout.COMMIT_EMBEDDER, "");
            String cause = name.equals(embedder.name())
                    ? " (the embedder's files or options have changed, or an earlier version of Pollux made it)"
                    : "";
            throw new StorageException("The knowledge base in " + folder + " was made with embedder " + name + " ("
                    + fingerprint + "), not with " + embedder.name() + " (" + embedder.fingerprint()
                    + "), and their vectors cannot be compared" + cause
                    + "; open it with that embedder, or ingest into a new folder");
        }
        String dimension = data.getOrDefault(IndexLayout.COMMIT_DIMENSION, "none");
        if (!dimension.equals(String.valueOf(embedder.dimension()))) {
            throw new StorageException("The knowledge base in " + folder + " has vectors of dimension " + dimension
                    + ", embedder " + embedder.name() + " makes " + embedder.dimension()
                    + "; ingest into a new folder");
        }
    }
}
