package dev.pollux.internal.foreign;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;
import dev.pollux.internal.Interrupts;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A chat model of another framework as a generator. <em>As thread-safe as the model.</em> */
public final class ForeignGenerator implements Generator {

    private final String framework;
    private final GeneratorInfo info;
    private final ForeignModel model;
    private final Set<ForeignStream> streams = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * A generator.
     *
     * @param framework for messages, such as {@code LangChain4j}
     */
    public ForeignGenerator(String framework, GeneratorInfo info, ForeignModel model) {
        this.framework = framework;
        this.info = new GeneratorInfo(
                info.name(), info.contextLength(), info.chat(), passedOn(info.sampling()), info.parameters());
        this.model = model;
    }

    /** The part of the options that requests of chat models can express. */
    private static GenerationOptions passedOn(GenerationOptions options) {
        return GenerationOptions.builder()
                .maxTokens(options.maxTokens())
                .temperature(options.temperature())
                .topK(options.topK())
                .topP(options.topP())
                .presencePenalty(options.presencePenalty())
                .frequencyPenalty(options.frequencyPenalty())
                .stop(options.stop().toArray(String[]::new))
                .build();
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        if (closed) {
            throw new IllegalStateException("The generator is closed; make another");
        }
        Interrupts.check();
        int tokens = countTokens(prompt);
        if (tokens >= info.contextLength()) {
            throw new IllegalArgumentException("The prompt has about " + tokens + " tokens but model " + info.name()
                    + " reads " + info.contextLength() + "; shorten it");
        }
        if (!(prompt instanceof Prompt.Chat chat)) {
            throw new IllegalArgumentException("A chat model of " + framework
                    + " reads conversations only; use Prompt.chat instead of Prompt.text");
        }
        if (!passedOn(options).equals(options)) {
            throw new IllegalArgumentException("A chat model of " + framework
                    + " takes maxTokens, temperature, topK, topP,"
                    + " presencePenalty, frequencyPenalty and stop only but was given " + options);
        }
        ForeignStream stream = new ForeignStream(to -> model.start(chat, options, to), tokens, streams::remove);
        streams.add(stream);
        return stream;
    }

    @Override
    public GeneratorInfo info() {
        return info;
    }

    @Override
    public int countTokens(Prompt prompt) {
        return PromptTokens.of(prompt);
    }

    @Override
    public void close() {
        closed = true; // the model is the host's
        streams.forEach(GenerationStream::cancel);
    }
}
