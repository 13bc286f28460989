package dev.pollux.inference.engine;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;

/** A generator that shares the weights of another one, but nothing that was read for other tenants. <em>Thread-safe.</em> */
final class TenantGenerator implements Generator {

    private final OnnxGenerator base;
    private final PrefixStore.Scope scope;

    TenantGenerator(OnnxGenerator base, PrefixStore.Scope scope) {
        this.base = base;
        this.scope = scope;
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        return base.stream(prompt, options, scope);
    }

    @Override
    public GeneratorInfo info() {
        return base.info();
    }

    @Override
    public int countTokens(Prompt prompt) {
        return base.countTokens(prompt);
    }

    /** Closes nothing: the weights belong to the other generator. */
    @Override
    public void close() {}
}
