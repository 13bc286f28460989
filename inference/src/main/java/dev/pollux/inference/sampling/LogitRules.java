package dev.pollux.inference.sampling;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.LogitsProcessor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Biases, penalties and prohibitions: the changes of logits before temperature and cuts, in the order that
 * {@link GenerationOptions} defines. <em>Not thread-safe: one thread at a time.</em>
 */
final class LogitRules {

    private final GenerationOptions options;
    private final BiasedSequences biases;
    private final BiasedSequences forbidden;
    private final int[] endTokens;
    private final Optional<DryPenalty> dry;
    private final Optional<TokenHistory> history; // empty if no rule needs it
    private int produced; // tokens

    LogitRules(GenerationOptions options, Sampler.Vocabulary vocabulary) {
        this.options = options;
        requireTokens("logitBias", options.logitBias().keySet().stream(), vocabulary);
        requireTokens("sequenceBias", options.sequenceBias().keySet().stream().flatMap(List::stream), vocabulary);
        requireTokens("badWords", options.badWords().stream().flatMap(List::stream), vocabulary);
        Map<List<Integer>, Float> all = new LinkedHashMap<>(options.sequenceBias());
        options.logitBias().forEach((token, bias) -> all.merge(List.of(token), bias, Float::sum));
        this.biases = BiasedSequences.of(all);
        Set<Integer> ends = vocabulary.endTokens();
        this.forbidden = BiasedSequences.of(options.badWords().stream()
                .filter(word -> word.size() > 1 || !ends.contains(word.get(0)))
                .distinct()
                .collect(Collectors.toMap(word -> word, word -> Float.NEGATIVE_INFINITY)));
        this.endTokens = ends.stream()
                .mapToInt(Integer::intValue)
                .filter(token -> token >= 0 && token < vocabulary.size())
                .toArray();
        this.dry = options.dry().map(settings -> new DryPenalty(settings, vocabulary.texts()));
        this.history = needsHistory(options) ? Optional.of(new TokenHistory(vocabulary.size())) : Optional.empty();
    }

    private static boolean needsHistory(GenerationOptions options) {
        return options.repetitionPenalty() != 1
                || options.presencePenalty() != 0
                || options.frequencyPenalty() != 0
                || options.noRepeatNgram() > 0
                || options.dry().isPresent()
                || !options.logitBias().isEmpty()
                || !options.sequenceBias().isEmpty()
                || !options.badWords().isEmpty()
                || !options.logitsProcessors().isEmpty();
    }

    private static void requireTokens(String option, Stream<Integer> tokens, Sampler.Vocabulary vocabulary) {
        tokens.filter(id -> id < 0 || id >= vocabulary.size()).findFirst().ifPresent(id -> {
            throw new IllegalArgumentException(
                    option + " must name token ids in [0, " + vocabulary.size() + ") but named " + id);
        });
    }

    /** Adds a token of the prompt. */
    void observe(int token) {
        history.ifPresent(tokens -> tokens.observe(token));
    }

    /** Adds a token of the continuation. */
    void produce(int token) {
        produced++;
        history.ifPresent(tokens -> tokens.produce(token));
    }

    /** The number of tokens of the continuation. */
    int produced() {
        return produced;
    }

    /** Changes the logits of the next token. */
    void apply(float[] logits) {
        history.ifPresent(tokens -> penalize(tokens, logits));
        if (produced < options.minTokens()) {
            for (int end : endTokens) {
                logits[end] = Float.NEGATIVE_INFINITY;
            }
        }
        history.ifPresent(tokens -> process(tokens, logits));
    }

    private void penalize(TokenHistory tokens, float[] logits) {
        biases.apply(tokens, logits);
        if (options.repetitionPenalty() != 1) {
            tokens.penalizeRepetition(logits, (float) options.repetitionPenalty());
        }
        if (options.presencePenalty() != 0 || options.frequencyPenalty() != 0) {
            tokens.penalizeProduced(logits, options.presencePenalty(), options.frequencyPenalty());
        }
        dry.ifPresent(penalty -> penalty.apply(tokens, logits));
        if (options.noRepeatNgram() > 0) {
            tokens.forbidRepeatedSequences(logits, options.noRepeatNgram());
        }
        forbidden.apply(tokens, logits);
    }

    private void process(TokenHistory tokens, float[] logits) {
        if (options.logitsProcessors().isEmpty()) {
            return;
        }
        int[] ids = tokens.tokens();
        for (LogitsProcessor processor : options.logitsProcessors()) {
            processor.process(ids, tokens.promptLength(), logits);
        }
    }
}
