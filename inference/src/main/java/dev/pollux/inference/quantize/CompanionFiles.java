package dev.pollux.inference.quantize;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The files of a model's folder besides its weights: configuration, tokenizer, template, licence. */
final class CompanionFiles {

    private static final int DEPTH = 2;
    private static final long LARGEST = 64L << 20;
    private static final List<String> WEIGHTS = List.of(
            ".onnx",
            ".data",
            ".onnx_data",
            ".safetensors",
            ".safetensors.index.json",
            ".gguf",
            ".bin",
            ".bin.index.json",
            ".pt",
            ".pth",
            ".h5",
            ".msgpack",
            ".ot");

    private CompanionFiles() {}

    /** Copies them; files that exist in {@code target} stay. */
    static void copy(Path folder, Path target) {
        try (Stream<Path> found = Files.walk(folder, DEPTH)) {
            for (Path file : found.filter(Files::isRegularFile).sorted().toList()) {
                Path relative = folder.relativize(file);
                Path copy = target.resolve(relative.toString());
                if (isCompanion(relative) && Files.size(file) <= LARGEST && !Files.exists(copy)) {
                    Files.createDirectories(copy.getParent());
                    Files.copy(file, copy);
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot copy the files of " + folder + ": " + e, e);
        }
    }

    private static boolean isCompanion(Path relative) {
        for (Path part : relative) {
            if (part.toString().startsWith(".")) {
                return false;
            }
        }
        String name = String.valueOf(relative.getFileName()).toLowerCase(Locale.ROOT);
        return !name.equals(ArtifactManifest.FILE)
                && !name.matches(".*\\.onnx[._]data.*")
                && WEIGHTS.stream().noneMatch(name::endsWith);
    }
}
