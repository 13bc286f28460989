package dev.pollux.inference.hub;

import java.nio.file.Path;
import java.util.List;

/**
 * What fetching a model would do: made by {@link ModelHub#plan}, which writes nothing. <em>Immutable.</em>
 *
 * @param repository {@code owner/name}
 * @param revision the branch, tag or commit that was asked for
 * @param commit the commit that it stands for now, in hex
 * @param path where the model will be: the folder of the commit in the cache, or the GGUF file in it (its first shard)
 * @param files in the order of their paths
 */
public record FetchPlan(String repository, String revision, String commit, Path path, List<PlannedFile> files) {

    public FetchPlan {
        files = List.copyOf(files);
    }

    /** The size of all files. */
    public long bytes() {
        return files.stream().mapToLong(PlannedFile::bytes).sum();
    }

    /** The bytes that are not on this disk yet. */
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
     * @param presentBytes how much of it is on this disk: all, or what an attempt before has left
     */
    public record PlannedFile(String path, long bytes, String hash, long presentBytes) {

        /** Whether nothing of it need be fetched. */
        public boolean isPresent() {
            return presentBytes == bytes;
        }
    }
}
