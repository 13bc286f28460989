package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.inference.hub.ModelHub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Checks the paths of a command line before anything is opened, and suggests corrections. */
final class GivenPath {

    private GivenPath() {}

    /** A file to be read. */
    static void file(String option, Path file, PolluxCommand command) {
        there(option, file);
        if (Files.isDirectory(file)) {
            throw command.usage(option + " must be a file but " + file + " is a folder");
        }
        readable(option, file);
    }

    /** Documents: folders or files. */
    static void documents(List<Path> documents) {
        documents.forEach(path -> {
            there("--docs", path);
            readable("--docs", path);
        });
    }

    /** A folder to be read. */
    static Path folderToRead(String option, Path folder) {
        there(option, folder);
        if (!Files.isDirectory(folder)) {
            throw new StorageException(option + " must be a folder but " + folder + " is a file");
        }
        readable(option, folder);
        return folder;
    }

    /** A folder that is created if it does not exist. */
    static void folder(String option, Path folder) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new StorageException(option + " must be a folder but " + folder + " is a file");
        }
    }

    /**
     * A path at which something new is written.
     *
     * @param kind a folder or a name
     */
    static void absent(Path target, String kind) {
        if (Files.exists(target)) {
            throw new IllegalArgumentException(target + " must not exist; choose another " + kind + " or delete it");
        }
    }

    /** A model by its path, its name on the hub or the name of an embedded one. */
    static void model(String model) {
        List<String> names = EmbeddedModel.names();
        if (names.contains(model) || ModelHub.names(model) || model.endsWith(".onnx") || Files.exists(Path.of(model))) {
            return;
        }
        List<String> known = new ArrayList<>(names);
        Closest.file(model).ifPresent(known::add);
        String meant = Closest.question(model, known);
        if (!meant.isEmpty()) {
            throw new StorageException("There is no model '" + model + "'" + meant);
        }
    }

    /** Adapters of a model. */
    static void adapters(Iterable<Path> adapters) {
        adapters.forEach(adapter -> {
            if (!Files.exists(adapter)) {
                throw new StorageException("There is no adapter at " + adapter
                        + Closest.file(adapter.toString())
                                .map(found -> "; did you mean '" + found + "'?")
                                .orElse("; give a folder with adapter_config.json, or a GGUF file of an adapter"));
            }
        });
    }

    private static void there(String option, Path path) {
        if (!Files.exists(path)) {
            String name = path.toString();
            String meant = Closest.file(name)
                    .map(found -> "; did you mean '" + found + "'?")
                    .orElse("");
            boolean quoted = name.startsWith("'") || name.startsWith("‘");
            throw new StorageException("There is no file or folder " + path
                    + (quoted
                            ? "; in this shell, quote with \""
                            : meant.isEmpty() ? "; check the path of " + option : meant));
        }
    }

    private static void readable(String option, Path path) {
        if (!Files.isReadable(path) || Files.isDirectory(path) && !Files.isExecutable(path)) {
            throw new StorageException(option + " " + path + " may not be read; check its permissions");
        }
    }
}
