package dev.pollux.inference.hub;

import dev.pollux.StorageException;
import dev.pollux.job.Job;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds a model by what a person calls it. */
public final class ModelLocator {

    private ModelLocator() {}

    /**
     * A job that gives the path of a model, to be opened: of an embedded one by its name ({@link EmbeddedModel#names()}), which
     * is unpacked into the cache; of one of the Hugging Face hub by its name there ({@link ModelHub#names}), which is
     * fetched where it has not been; else {@code model} is a path. A path that ends in {@code .onnx} is given as it is, as the
     * folder knows which forms of its model there are.
     *
     * @param cache where embedded models are unpacked
     * @throws StorageException from the job, if there is nothing of that name
     */
    public static Job<Path> locating(String model, Path cache) {
        if (EmbeddedModel.names().contains(model)) {
            return EmbeddedModel.named(model).unpack(cache);
        }
        if (ModelHub.names(model)) {
            return ModelHub.builder().build().fetch(model);
        }
        return Job.of("locate", context -> path(model));
    }

    private static Path path(String model) {
        Path path = Path.of(model);
        if (!model.endsWith(".onnx") && !Files.exists(path)) {
            throw new StorageException("There is no model '" + model
                    + "': no file or folder of that path, and among the"
                    + " embedded models only " + EmbeddedModel.names() + "; give a GGUF file, a Hugging Face folder,"
                    + " an exported folder or hf:owner/name");
        }
        return path;
    }
}
