package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import dev.pollux.internal.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A file in the hub's metadata. <em>Immutable.</em>
 *
 * @param path its path in the repository
 * @param bytes its size, at least 0; negative while unknown
 * @param hash the SHA-256 of its content, or for small files git's SHA-1 of it, in lower-case hex; empty while unknown. It
 *     is the file's {@code ETag} and the name of its blob
 */
record RemoteFile(String path, long bytes, String hash) {

    /** Limit that keeps sums of sizes from overflowing: 64 TiB. */
    private static final long MAX_BYTES = 1L << 46;

    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}|[0-9a-f]{40}");

    RemoteFile {
        hash = hash.toLowerCase(Locale.ROOT);
    }

    boolean isKnown() {
        return bytes >= 0 && bytes <= MAX_BYTES && HASH.matcher(hash).matches();
    }

    /** @throws MalformedFileException if the server reported no size, or no hash to verify the content */
    RemoteFile requireKnown(String repository) {
        if (!isKnown()) {
            throw new MalformedFileException("The server says of " + RepositoryPath.shown(path) + " of " + repository
                    + (bytes < 0
                            ? " no size"
                            : bytes > MAX_BYTES
                                    ? " " + bytes + " bytes"
                                    : " the hash '" + RepositoryPath.shown(hash) + "'")
                    + ", and it must say a size of at most 64 TiB and a SHA-256 or git SHA-1; use another endpoint");
        }
        return this;
    }

    boolean isSha256() {
        return hash.length() == 64;
    }

    String algorithm() {
        return isSha256() ? "SHA-256" : "git SHA-1";
    }

    /** A digest that yields the hash after the content; git's starts with {@code "blob SIZE\0"}. */
    MessageDigest digest() {
        if (isSha256()) {
            return Sha256.digest();
        }
        try {
            MessageDigest git = MessageDigest.getInstance("SHA-1");
            git.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
            return git;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-1", e);
        }
    }
}
