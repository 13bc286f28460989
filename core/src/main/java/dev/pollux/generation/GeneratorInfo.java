package dev.pollux.generation;

/**
 * What a {@link Generator} is. <em>Immutable.</em>
 *
 * @param name a name to show, such as {@code SmolLM2 135M Instruct}
 * @param contextLength the most tokens of prompt and completion together, at least 1
 * @param chat whether {@link Prompt.Chat} is understood, by a chat template or otherwise
 * @param sampling how the model's publisher would have tokens chosen; {@link GenerationOptions#SAMPLED} where nothing is
 *     published, or nothing is known of it
 */
public record GeneratorInfo(String name, int contextLength, boolean chat, GenerationOptions sampling) {

    public GeneratorInfo {
        if (contextLength < 1) {
            throw new IllegalArgumentException("contextLength must be at least 1 but was " + contextLength);
        }
    }

    /** A model of which no sampling is known. */
    public GeneratorInfo(String name, int contextLength, boolean chat) {
        this(name, contextLength, chat, GenerationOptions.SAMPLED);
    }
}
