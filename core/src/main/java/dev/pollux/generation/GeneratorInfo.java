package dev.pollux.generation;

import java.util.OptionalLong;

/**
 * What a {@link Generator} is. <em>Immutable.</em>
 *
 * @param name a name to show, such as {@code SmolLM2 135M Instruct}
 * @param contextLength the most tokens of prompt and completion together, at least 1
 * @param chat whether {@link Prompt.Chat} is understood, by a chat template or otherwise
 * @param sampling how the model's publisher would have tokens chosen; {@link GenerationOptions#SAMPLED} where nothing is
 *     published, or nothing is known of it
 * @param parameters how many parameters the model has; empty where that is not known
 */
public record GeneratorInfo(
        String name, int contextLength, boolean chat, GenerationOptions sampling, OptionalLong parameters) {

    public GeneratorInfo {
        if (contextLength < 1) {
            throw new IllegalArgumentException("contextLength must be at least 1 but was " + contextLength);
        }
    }

    /** A model of which neither sampling nor size is known. */
    public GeneratorInfo(String name, int contextLength, boolean chat) {
        this(name, contextLength, chat, GenerationOptions.SAMPLED, OptionalLong.empty());
    }
}
