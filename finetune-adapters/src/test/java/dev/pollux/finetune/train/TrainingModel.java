package dev.pollux.finetune.train;

import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A small model of the reference data with a tokenizer and a chat template. */
final class TrainingModel {

    private TrainingModel() {}

    /** Writes it into {@code folder}. */
    static Path in(Path folder) throws IOException {
        Path base = ReferenceData.first(
                ReferenceData.golden("finetune/bases"), "model", path -> Files.exists(path.resolve("config.json")));
        Path model = Files.createDirectories(folder.resolve("model"));
        Path texts = ReferenceData.golden("finetune/chat/tokenizer");
        for (Path from : List.of(base, texts)) {
            try (Stream<Path> files = Files.list(from)) {
                files.filter(Files::isRegularFile).forEach(file -> copy(file, model));
            }
        }
        Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
        return model;
    }

    private static void copy(Path file, Path model) {
        Path target = model.resolve(file.getFileName().toString());
        try {
            if (!Files.exists(target)) {
                Files.copy(file, target);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Without marks of what the assistant writes. */
    private static final String TEMPLATE =
            "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
                    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /** Rows with prompts and completions. */
    static Dataset rows() {
        return Dataset.of(
                "rows",
                List.of(
                        Map.of("prompt", "the capital of", "completion", " France is Paris ."),
                        Map.of("prompt", "sum two and", "completion", " three is five ."),
                        Map.of("prompt", "gravity", "completion", " pulls things down"),
                        Map.of("prompt", "hello", "completion", " there !")));
    }
}
