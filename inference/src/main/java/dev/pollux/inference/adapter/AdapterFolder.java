package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The folder of an adapter in PEFT's format. */
record AdapterFolder(Path path) {

    private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl");
    private static final int MAX_ENTRIES = 10_000;

    Path weights() {
        return path.resolve(PeftConfig.WEIGHTS);
    }

    /** Its settings. A folder without a readable adapter is refused with a message that describes its content. */
    PeftConfig settings() {
        if (!Files.isDirectory(path)) {
            throw new StorageException("There is no adapter at " + path
                    + "; give a folder with adapter_config.json, or a GGUF file of an adapter");
        }
        Optional<PeftConfig> config = PeftConfig.read(path);
        if (config.isEmpty() && Files.isRegularFile(path.resolve("config.json"))) {
            throw new UnsupportedModelException(
                    path + " is a model, not an adapter; name it as a model of its own, or make"
                            + " an adapter of it with pollux extract-lora");
        }
        if (!Files.isRegularFile(weights())) {
            pickle().ifPresent(name -> {
                throw new MalformedFileException(
                        "The adapter " + path + " has no " + PeftConfig.WEIGHTS + " but " + name
                                + ", a pickle of PyTorch: reading it can run code, so it is not read; convert it: load"
                                + " it with PEFT and write it with save_pretrained");
            });
        }
        PeftConfig found = config.orElseThrow(() -> new StorageException(
                "There is no adapter in " + path + ": it has no " + PeftConfig.CONFIG + "; download it too"));
        found.otherChange().ifPresent(other -> {
            throw new UnsupportedModelException("The adapter " + path + " has " + other
                    + "; only LoRA and DoRA factors, whole modules and trained tokens can be read");
        });
        if (!Files.isRegularFile(weights())) {
            throw new MalformedFileException(
                    "The adapter " + path + " has no " + PeftConfig.WEIGHTS + "; download or convert it");
        }
        return found;
    }

    private Optional<String> pickle() {
        try (Stream<Path> entries = Files.list(path)) {
            return entries.limit(MAX_ENTRIES)
                    .map(entry -> String.valueOf(entry.getFileName()))
                    .filter(name -> name.startsWith("adapter_model."))
                    .filter(name -> PICKLES.stream().anyMatch(name::endsWith))
                    .sorted()
                    .findFirst();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + path + ": " + e, e);
        }
    }
}
