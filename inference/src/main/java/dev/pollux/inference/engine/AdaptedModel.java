package dev.pollux.inference.engine;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;

/** A model with loaded adapters. Closing it also closes the model. <em>Thread-safe.</em> */
record AdaptedModel(Generator base, Generator adapted) implements Generator {

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        return adapted.stream(prompt, options);
    }

    @Override
    public GeneratorInfo info() {
        return adapted.info();
    }

    @Override
    public int countTokens(Prompt prompt) {
        return adapted.countTokens(prompt);
    }

    @Override
    public void close() {
        try (base) {
            adapted.close();
        }
    }
}
