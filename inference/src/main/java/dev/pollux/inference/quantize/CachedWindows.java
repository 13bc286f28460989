package dev.pollux.inference.quantize;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactCache;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.calibration.CalibrationWindows;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.internal.Sha256;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.CalibrationData;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Calibration windows in a cache whose key is the content of the model and of the texts. <em>Thread-safe.</em> */
final class CachedWindows {

    /*
     * windows.bin    int count, then of each window int length and its ids as ints, all big-endian
     */

    private static final String FILE = "windows.bin";
    private static final int KEY_DIGITS = 32;

    private final ArtifactCache cache;

    private CachedWindows(Path folder) {
        this.cache = ArtifactCache.in(folder.resolve("calibration"), FILE);
    }

    /** A cache in a folder, which need not exist. */
    static CachedWindows in(Path folder) {
        return new CachedWindows(folder);
    }

    /** The windows of a decoder, kept in the cache of the options if they have one. */
    static List<int[]> read(
            QuantizerOptions options, DecoderCheckpoint decoder, CalibrationData data, JobContext context) {
        return options.cache()
                .map(folder -> in(folder).of(decoder.checkpoint(), data, context))
                .orElseGet(() -> CalibrationWindows.of(decoder.checkpoint(), data, context));
    }

    /** The SHA-256 of each file. */
    List<ArtifactManifest.Input> inputs(List<Path> files, JobContext context) {
        return cache.inputs(files, context);
    }

    /** See {@link CalibrationWindows#of}; the notice of a template that fails comes with the first call only. */
    List<int[]> of(Checkpoint checkpoint, CalibrationData data, JobContext context) {
        String options = data.windows() + " " + data.windowLength() + " " + data.seed() + " " + data.chat();
        String texts = String.join("\u0000", data.texts());
        String key = Sha256.of(options + "\u0000" + texts).substring(0, KEY_DIGITS);
        Path folder = cache.folder(
                checkpoint.files(),
                key,
                target -> write(CalibrationWindows.of(checkpoint, data, context), target.resolve(FILE)),
                context);
        return read(folder.resolve(FILE));
    }

    private static Path write(List<int[]> windows, Path file) {
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            out.writeInt(windows.size());
            for (int[] window : windows) {
                out.writeInt(window.length);
                for (int id : window) {
                    out.writeInt(id);
                }
            }
            return file;
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }

    private static List<int[]> read(Path file) {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            long left = Files.size(file) / Integer.BYTES;
            int count = in.readInt();
            List<int[]> windows = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int length = in.readInt();
                if (length < 1 || length > left) {
                    throw new MalformedFileException(file + " has a window of " + length + " tokens; delete it");
                }
                int[] window = new int[length];
                for (int j = 0; j < length; j++) {
                    window[j] = in.readInt();
                }
                windows.add(window);
            }
            return windows;
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e + "; delete it", e);
        }
    }
}
