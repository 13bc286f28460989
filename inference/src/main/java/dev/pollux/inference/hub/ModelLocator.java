package dev.pollux.inference.hub;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.job.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds a model or an adapter by the name or path that a user gives. */
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
     * @throws UnsupportedModelException if an embedded adapter has that name
     */
    public static Job<Path> locating(String model, Path cache) {
        Optional<EmbeddedModel> embedded = EmbeddedModel.find(model);
        if (embedded.isPresent()) {
            return model(embedded.get()).unpack(cache);
        }
        if (ModelHub.names(model)) {
            return ModelHub.builder().build().fetch(model);
        }
        return Job.of("locate", context -> path(model));
    }

    private static EmbeddedModel model(EmbeddedModel named) {
        named.base().ifPresent(base -> {
            throw new UnsupportedModelException(named.name() + " is an adapter of " + base + "; name the model " + base
                    + " and this as its adapter");
        });
        return named;
    }

    /**
     * A job that determines the path of an adapter, which is the name of an embedded one, or a path.
     *
     * @param cache the folder to which embedded adapters are unpacked
     * @throws UnsupportedModelException if an embedded model has that name
     */
    public static Job<Path> locatingAdapter(String adapter, Path cache) {
        Optional<EmbeddedModel> embedded = EmbeddedModel.find(adapter);
        if (embedded.isEmpty()) {
            return Job.of("locate", context -> Path.of(adapter));
        }
        if (embedded.get().base().isEmpty()) {
            throw new UnsupportedModelException(adapter + " is a model, not an adapter; name it as the model");
        }
        return embedded.get().unpack(cache);
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
