package dev.pollux.inference.functional;

import dev.pollux.PolluxException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/** Exports of checkpoints in every form, and names for their content. */
final class Exports {

    private static final long LARGE = 32L << 20;
    private static final int KEY_DIGITS = 16;

    private Exports() {}

    /** In a JVM of its own: each argument after the first is a checkpoint, whose exports go to folders in the first. */
    public static void main(String[] args) {
        for (int i = 1; i < args.length; i++) {
            for (String form : List.of("decoder-BITS_4", "encoder-BITS_8")) {
                try {
                    write(Path.of(args[i]), form, Path.of(args[0], Integer.toString(i), form));
                } catch (PolluxException e) {
                    // a reference set holds what is damaged or not supported, too
                }
            }
        }
    }

    /** The forms that a checkpoint may be exported in, such as {@code decoder-BITS_4}; of a large one not all. */
    static List<String> forms(Path checkpoint) {
        List<String> forms = new ArrayList<>();
        forms.add("decoder-" + WeightFormat.EXACT);
        if (size(checkpoint) < LARGE) {
            forms.add("decoder-" + WeightFormat.FLOAT);
            forms.add("decoder-" + WeightFormat.BITS_8);
            forms.add("decoder-" + WeightFormat.BITS_4);
            forms.add("encoder-" + EncoderWeights.FLOAT);
            forms.add("encoder-" + EncoderWeights.BITS_8);
        }
        return forms;
    }

    static void write(Path checkpoint, String form, Path target) {
        String weights = form.substring(form.indexOf('-') + 1);
        if (form.startsWith("encoder")) {
            EncoderExport.export(checkpoint, target, EncoderWeights.valueOf(weights))
                    .run();
            return;
        }
        ExportOptions options =
                ExportOptions.builder().weights(WeightFormat.valueOf(weights)).build();
        try (Checkpoint opened = Checkpoint.open(checkpoint)) {
            DecoderExport.export(opened, target, options).run();
        }
    }

    /** The checkpoints among the reference data: folders with a configuration and weights, and GGUF files. */
    static List<Path> reference() {
        List<Path> found = new ArrayList<>();
        for (String set : List.of("decoder", "encoder", "finetune/bases", "merge/models", "gguf")) {
            add(found, () -> ReferenceData.golden(set));
        }
        add(found, () -> ReferenceData.model(""));
        return found;
    }

    private static void add(List<Path> found, Supplier<Path> set) {
        try (Stream<Path> files = Files.walk(set.get(), 2)) {
            files.filter(Exports::isCheckpoint).sorted().forEach(found::add);
        } catch (TestAbortedException e) {
            // the set is absent, which the log says
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isCheckpoint(Path path) {
        boolean malformed = path.toString().contains("malformed");
        return !malformed
                && (path.toString().endsWith(".gguf") && Files.isRegularFile(path) || EncoderExport.isCheckpoint(path));
    }

    /** The first digits of SHA-256 over a checkpoint's files, but for the tests' own. */
    static String content(Path checkpoint) {
        return sha256(files(checkpoint)).substring(0, KEY_DIGITS);
    }

    /** What a checkpoint or an export consists of, sorted: a file, or the files of a folder but for its manifest and the tests' own. */
    static List<Path> files(Path checkpoint) {
        if (Files.isRegularFile(checkpoint)) {
            return List.of(checkpoint);
        }
        try (Stream<Path> files = Files.list(checkpoint)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().matches("(cases|expected|README).*|artifact\\.json"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long size(Path checkpoint) {
        return files(checkpoint).stream()
                .mapToLong(file -> file.toFile().length())
                .sum();
    }

    /** SHA-256 over the bytes of files. */
    static String sha256(List<Path> files) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (Path file : files) {
                try (InputStream in = Files.newInputStream(file)) {
                    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                        digest.update(buffer, 0, n);
                    }
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
