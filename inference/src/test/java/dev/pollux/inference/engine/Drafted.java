package dev.pollux.inference.engine;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Writes a text with a given drafter. */
final class Drafted {

    private Drafted() {}

    static Generation write(
            DecoderSequence sequence, GenerationOptions options, int[] prompt, Sampler sampler, Drafter drafter) {
        try (Tokenizer tokenizer = LetterTokenizer.of(List.of("<end>"))) {
            TextAssembler text = new TextAssembler(
                    tokenizer.streamDecoder(true),
                    ChannelFormat.of("", tokenizer).after("", false),
                    options.stop(),
                    delta -> {});
            GenerationLoop.Request request = new GenerationLoop.Request(prompt, options, Set.of(), 256, Duration.ZERO);
            GenerationLoop loop = new GenerationLoop(request, sampler, text, Optional.of(drafter));
            GenerationTurns turns = new GenerationTurns(loop, sequence, Optional.empty());
            while (loop.result().isEmpty()) {
                turns.run();
            }
            return loop.result().get();
        }
    }
}
