package dev.pollux.inference.decoder;

import dev.pollux.StorageException;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A name for the content of files.
 *
 * <p>It is the SHA-256 of their bytes. Hashing gigabytes at every start would take longer than loading, so the result is
 * remembered under path, size and time of change of the files; a file whose time of change is less than two seconds old is
 * hashed in any case, since it may change again within the clock's grain.
 */
final class ContentKey {

    private ContentKey() {}

    static String of(List<Path> files, Path cache, JobContext context) {
        try {
            Files.createDirectories(cache.resolve("hashes"));
            Path memo = cache.resolve("hashes").resolve(hex(describe(files).getBytes(StandardCharsets.UTF_8)));
            if (Files.isRegularFile(memo) && settled(files)) {
                String remembered = Files.readString(memo);
                if (remembered.matches("[0-9a-f]{32}")) {
                    return remembered;
                }
            }
            String key = hash(files, context);
            Path part = Files.createTempFile(memo.getParent(), "hash", ".part");
            Files.writeString(part, key);
            Files.move(part, memo, StandardCopyOption.REPLACE_EXISTING);
            return key;
        } catch (IOException e) {
            throw new StorageException("Cannot hash " + files + ": " + e, e);
        }
    }

    private static boolean settled(List<Path> files) throws IOException {
        for (Path file : files) {
            if (System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() < 2000) {
                return false;
            }
        }
        return true;
    }

    private static String describe(List<Path> files) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path file : files) {
            text.append(file.toRealPath())
                    .append('\n')
                    .append(Files.size(file))
                    .append('\n')
                    .append(Files.getLastModifiedTime(file))
                    .append('\n');
        }
        return text.toString();
    }

    private static String hash(List<Path> files, JobContext context) throws IOException {
        MessageDigest digest = digest();
        long total = 0;
        for (Path file : files) {
            total += Files.size(file);
        }
        long done = 0;
        byte[] buffer = new byte[1 << 20];
        for (Path file : files) {
            digest.update((file.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
            try (InputStream in = Files.newInputStream(file)) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    context.checkCancelled();
                    digest.update(buffer, 0, n);
                    done += n;
                    context.progress("hash", done, total, "bytes");
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }

    private static String hex(byte[] text) {
        return HexFormat.of().formatHex(digest().digest(text), 0, 16);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
