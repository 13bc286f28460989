package dev.pollux.inference.issues;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import java.nio.file.Path;
import java.util.List;

/** Answers of small models. */
final class Answers {

    private Answers() {}

    /** Opens a model with a cache, from which exports are used again. */
    static OnnxGenerator open(Path model, Path cache) {
        return OnnxGenerator.open(model, EngineOptions.builder().cache(cache).build());
    }

    /** The first tokens that a model generates. */
    static List<Integer> of(Path model, Path cache) {
        try (OnnxGenerator generator = open(model, cache)) {
            return generator
                    .generate(
                            Prompt.text("Once"),
                            GenerationOptions.builder().maxTokens(4).seed(1).build())
                    .tokens();
        }
    }
}
