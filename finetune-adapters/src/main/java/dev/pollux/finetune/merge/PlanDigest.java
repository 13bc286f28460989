package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.internal.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.TreeSet;

/** A digest of all that determines the bytes of a result: plan, options, and name, size and time of the input files. */
final class PlanDigest {

    private static final String FORMAT = "1";

    private PlanDigest() {}

    static String of(MergeLayout layout, MergeOptions options) {
        MessageDigest digest = Sha256.digest();
        update(digest, FORMAT);
        update(digest, PlanWriter.documents(layout.plan()).toString());
        update(digest, options.seed() + " " + options.shardBytes() + " " + options.likeReference());
        layout.tasks().forEach(task -> update(digest, task.name() + task.method() + task.labels()));
        for (InputModel model : layout.opened()) {
            model.folder().ifPresent(folder -> update(digest, files(folder)));
            model.adapterTexts().ifPresent(texts -> update(digest, files(texts.folder())));
        }
        return Sha256.hex(digest);
    }

    private static String files(Path folder) {
        TreeSet<String> files = new TreeSet<>();
        try {
            if (Files.isRegularFile(folder)) {
                return folder + " " + Files.size(folder) + " " + Files.getLastModifiedTime(folder);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + folder + ": " + e, e);
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (Files.isRegularFile(entry)) {
                    files.add(entry + " " + Files.size(entry) + " " + Files.getLastModifiedTime(entry));
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + folder + ": " + e, e);
        }
        return files.toString();
    }

    private static void update(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }
}
