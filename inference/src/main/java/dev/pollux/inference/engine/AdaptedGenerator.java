package dev.pollux.inference.engine;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;

/** A generator that applies its own adapter to the weights of another generator. <em>Thread-safe.</em> */
final class AdaptedGenerator implements Generator {

    private final OnnxGenerator base;
    private final LoadedAdapter adapter;

    AdaptedGenerator(OnnxGenerator base, LoadedAdapter adapter) {
        this.base = base;
        this.adapter = adapter;
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        return base.stream(prompt, options, new PrefixStore.Scope(adapter, ""));
    }

    @Override
    public GeneratorInfo info() {
        GeneratorInfo info = base.info();
        return new GeneratorInfo(
                info.name() + " + " + adapter.name(),
                info.contextLength(),
                info.chat(),
                info.sampling(),
                info.parameters());
    }

    @Override
    public int countTokens(Prompt prompt) {
        return base.countTokens(prompt);
    }

    @Override
    public void close() {
        adapter.close();
    }
}
