package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.merging.ModelReference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folders with the results of stages until the last merge is complete. They are next to the target, and their names derive
 * from their sources.
 */
final class StageFolders {

    private final Path root;

    StageFolders(Path target) {
        Path whole = target.toAbsolutePath().normalize();
        this.root = whole.resolveSibling("." + whole.getFileName() + ".stages");
    }

    Path of(String name, String digest) {
        return root.resolve(name + "-" + digest.substring(0, 16));
    }

    /** Opens the result of a stage under the stage's name. */
    InputModel open(String name, Path folder) {
        ModelReference reference = new ModelReference(
                folder.getFileName().toString(), Optional.empty(), Optional.empty(), Optional.empty());
        return InputModel.open(reference, root).named(name);
    }

    void delete() {
        try {
            WorkFolder.deleteTree(root);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + root + ": " + e, e);
        }
    }
}
