package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * A training run in a YAML file: the objective, and options by their names on the command line. <em>Immutable.</em>
 *
 * <pre>
 * objective: sft
 * base: model
 * data: train.jsonl
 * out: adapter
 * rank: 16
 * learning-rate: 2e-4
 * </pre>
 *
 * @param objective such as {@code sft} or {@code dpo}
 * @param arguments the options in order, each as {@code --name} followed by its value; a switch has none
 */
public record TrainingRecipe(String objective, List<String> arguments) {

    private static final Pattern NAME = Pattern.compile("[a-z]+(-[a-z]+)*");

    public TrainingRecipe {
        arguments = List.copyOf(arguments);
    }

    /**
     * Reads a file. Relative paths in it are those of the current folder, as on the command line.
     *
     * @throws MalformedFileException if it is no table of options
     * @throws StorageException if it cannot be read
     */
    public static TrainingRecipe read(Path file) {
        Object parsed;
        try {
            LoadSettings settings = LoadSettings.builder()
                    .setLabel(file.toString())
                    .setMaxAliasesForCollections(0)
                    .build();
            parsed = new Load(settings).loadFromString(Files.readString(file));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        } catch (YamlEngineException e) {
            throw new MalformedFileException(file + " is not YAML: " + e.getMessage(), e);
        }
        if (!(parsed instanceof Map<?, ?> options) || !(options.get("objective") instanceof String objective)) {
            throw new MalformedFileException(
                    file + " must have 'objective: sft' or another, and options such as 'base: model'");
        }
        List<String> arguments = new ArrayList<>();
        options.forEach((key, value) -> {
            String name = String.valueOf(key);
            if (!NAME.matcher(name).matches()) {
                throw new MalformedFileException(file + ": the option '" + name
                        + "' must be named as on the command line, such as learning-rate");
            }
            if (!name.equals("objective")) {
                add(file, name, value, arguments);
            }
        });
        return new TrainingRecipe(objective, arguments);
    }

    private static void add(Path file, String name, Object value, List<String> arguments) {
        if (value instanceof List<?> list) {
            list.forEach(one -> add(file, name, one, arguments));
        } else if (value instanceof Boolean on) {
            if (on) {
                arguments.add("--" + name);
            }
        } else if (value instanceof String || value instanceof Number) {
            arguments.add("--" + name);
            arguments.add(value.toString());
        } else {
            throw new MalformedFileException(file + ": the option " + name
                    + " must be a text, a number, true or false, or a list, but is " + value);
        }
    }
}
