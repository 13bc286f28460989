package dev.pollux.merge;

import dev.pollux.StorageException;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeReport.InputFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The files that a plan reads, and their hashes. */
final class InputHashes {

    private static final int STEP = 1 << 20;

    private InputHashes() {}

    /** All files of the models and adapters of a plan and its stages, in the order of their paths. */
    static List<InputFile> of(MergePlan plan, Path folder, JobContext context) {
        TreeSet<String> names = new TreeSet<>();
        List<String> stages =
                plan.stages().stream().flatMap(stage -> stage.name().stream()).toList();
        Stream.concat(plan.stages().stream(), Stream.of(plan))
                .flatMap(MergePlan::models)
                .forEach(reference -> {
                    if (!stages.contains(reference.toString())) {
                        names.add(reference.model());
                        reference.adapter().ifPresent(names::add);
                    }
                });
        List<InputFile> files = new ArrayList<>();
        for (String name : names) {
            Path path = folder.resolve(name);
            try {
                if (Files.isRegularFile(path)) {
                    files.add(file(name, path, context));
                } else {
                    addAll(name, path, files, context);
                }
            } catch (IOException e) {
                throw new StorageException("Cannot read " + path + ": " + e, e);
            }
        }
        return files;
    }

    private static void addAll(String name, Path folder, List<InputFile> into, JobContext context) throws IOException {
        List<Path> files;
        try (Stream<Path> entries = Files.list(folder)) {
            files = entries.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
        for (Path file : files) {
            into.add(file(name + "/" + file.getFileName(), file, context));
        }
    }

    private static InputFile file(String name, Path file, JobContext context) throws IOException {
        MessageDigest digest = PlanDigest.sha256();
        byte[] some = new byte[STEP];
        long bytes = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(some); n >= 0; n = in.read(some)) {
                context.checkCancelled();
                digest.update(some, 0, n);
                bytes += n;
            }
        }
        return new InputFile(name, bytes, HexFormat.of().formatHex(digest.digest()));
    }
}
