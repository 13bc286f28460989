package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.ModelReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A model of a plan, ready for the engine. A model with an adapter is merged into a folder in the cache, which is deleted on
 * close. <em>Confined to one thread.</em>
 */
final class RunnableModel implements AutoCloseable {

    private final Path path;
    private final EngineOptions engine;
    private final Optional<Path> temporary;

    private RunnableModel(Path path, EngineOptions engine, Optional<Path> temporary) {
        this.path = path;
        this.engine = engine;
        this.temporary = temporary;
    }

    /**
     * Opens the model {@code name}.
     *
     * @param folder the folder to which names are relative
     * @param engine the caller's options
     */
    static RunnableModel of(String name, Path folder, EngineOptions engine, JobContext context) {
        ModelReference reference = ModelReference.parse(name);
        if (reference.adapter().isEmpty()) {
            return new RunnableModel(folder.resolve(reference.model()), engine, Optional.empty());
        }
        Path temporary = temporary(engine.cache());
        Path target = temporary.resolve("model");
        EngineOptions own = engine.toBuilder().cache(temporary.resolve("cache")).build(); // the export is not kept
        RunnableModel model = new RunnableModel(target, own, Optional.of(temporary));
        try {
            MergePlan plan =
                    MergePlan.builder("passthrough").model(name, Map.of()).build();
            context.run(CheckpointMerger.in(folder).merge(plan, target));
            return model;
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    private static Path temporary(Path cache) {
        try {
            return Files.createTempDirectory(Files.createDirectories(cache), "merged");
        } catch (IOException e) {
            throw new StorageException("Cannot write to the cache " + cache + ": " + e, e);
        }
    }

    /** The path of the model. */
    Path path() {
        return path;
    }

    /** The options to open it. */
    EngineOptions engine() {
        return engine;
    }

    @Override
    public void close() {
        temporary.ifPresent(folder -> {
            try {
                WorkFolder.deleteTree(folder);
            } catch (IOException e) {
                throw new StorageException("Cannot delete " + folder + ": " + e, e);
            }
        });
    }
}
