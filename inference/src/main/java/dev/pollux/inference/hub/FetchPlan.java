package dev.pollux.inference.hub;

import java.nio.file.Path;
import java.util.List;

/**
 * The files that a download would fetch, determined by {@link ModelHub#plan}, which writes nothing. <em>Immutable.</em>
 *
 * @param repository {@code owner/name}
 * @param revision the requested branch, tag or commit
 * @param commit the commit that the revision currently refers to, in hex
 * @param path the future path of the model: the folder of the commit in the cache, or the GGUF file in it (its first shard)
 * @param files the files, sorted by path
 */
public record FetchPlan(String repository, String revision, String commit, Path path, List<PlannedFile> files) {

    public FetchPlan {
        files = List.copyOf(files);
    }

    /** The total size of all files in bytes. */
    public long bytes() {
        return files.stream().mapToLong(PlannedFile::bytes).sum();
    }

    /** The number of bytes that are not on disk yet. */
    public long missingBytes() {
        return files.stream()
                .mapToLong(file -> file.bytes() - file.presentBytes())
                .sum();
    }

    /**
     * A file of the model. <em>Immutable.</em>
     *
     * @param path its path in the repository
     * @param bytes its size
     * @param hash the SHA-256 of its content (64 digits) or git's SHA-1 of it (40), in lower-case hex; empty when offline
     * @param presentBytes the number of bytes on disk: all, or those that an earlier attempt left
     */
    public record PlannedFile(String path, long bytes, String hash, long presentBytes) {

        /** Whether the whole file is on disk. */
        public boolean isPresent() {
            return presentBytes == bytes;
        }
    }
}
