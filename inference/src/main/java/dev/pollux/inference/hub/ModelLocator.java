package dev.pollux.inference.hub;

import dev.pollux.StorageException;
import dev.pollux.job.Job;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds a model by the name or path that a user gives. */
public final class ModelLocator {

    private ModelLocator() {}

    /**
     * A job that determines the path of a model. {@code model} is one of:
     *
     * <ul>
     * <li>the name of an embedded model ({@link EmbeddedModel#names()}), which is unpacked to the cache
     * <li>the name of a model on the Hugging Face hub ({@link ModelHub#names}), which is downloaded if it is not in the cache
     * <li>a path; one that ends in {@code .onnx} is returned as it is, because its folder determines the available variants
     * </ul>
     *
     * @param cache the folder to which embedded models are unpacked
     * @throws StorageException from the job, if there is no such model
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
