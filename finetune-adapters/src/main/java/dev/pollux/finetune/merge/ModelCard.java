package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The {@code README.md} of a result: its sources, and the plan to reproduce it. */
final class ModelCard {

    private ModelCard() {}

    static void write(MergeLayout layout, MergeOptions options, Path folder) {
        try {
            Files.writeString(folder.resolve("README.md"), text(layout, options));
        } catch (IOException e) {
            throw new StorageException("Cannot write the model card into " + folder + ": " + e, e);
        }
    }

    static String text(MergeLayout layout, MergeOptions options) {
        StringBuilder card = new StringBuilder("---\nbase_model:\n");
        for (InputModel model : layout.models()) {
            card.append("- ").append(JsonNode.of(model.label())).append('\n');
        }
        card.append("library_name: transformers\ntags:\n- merge\n- pollux\n---\n\n# A merge of ")
                .append(layout.models().size())
                .append(" models\n\nMade by Pollux with the method `")
                .append(layout.plan().method())
                .append("`.\n\n## Models\n\n");
        layout.plan()
                .base()
                .ifPresent(base -> card.append("- base: `").append(base).append("`\n"));
        for (Stack.Level level : layout.levels()) {
            for (Stack.Part part : level.parts()) {
                card.append("- `")
                        .append(part.model().label())
                        .append("`, ")
                        .append(layers(part))
                        .append('\n');
            }
        }
        card.append("\n## Tensors\n\n| method with its parameters | tensors |\n|---|---|\n");
        Map<String, Integer> methods = new TreeMap<>();
        layout.tasks().forEach(task -> methods.merge(task.method().toString(), 1, Integer::sum));
        methods.forEach((method, count) ->
                card.append("| `").append(method).append("` | ").append(count).append(" |\n"));
        card.append("\nSeed of random numbers: ").append(options.seed()).append(".\n");
        return card.toString();
    }

    private static String layers(Stack.Part part) {
        return part.layers().size() == 0
                ? "a module without layers"
                : "layers " + part.layers().from() + " to " + (part.layers().to() - 1);
    }
}
