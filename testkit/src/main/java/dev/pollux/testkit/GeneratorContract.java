package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.ToolCall;
import dev.pollux.generation.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Generator} and {@link GenerationStream} promises, as tests: implement {@link #open()} in a test
 * class, and {@link #prompt()} where the default does not make the model say at least eight tokens.
 */
@NoLeaks
public interface GeneratorContract {

    /** The fewest tokens that {@link #prompt()} must be good for. */
    int LENGTH = 8;

    /** A newly opened generator; each test closes the one it asked for. */
    Generator open();

    /** A prompt that the model, taking the best token each time, continues by {@value #LENGTH} tokens or more. */
    default Prompt prompt() {
        return Prompt.text("Once upon a time, there was");
    }

    @Test
    default void deltasJoinedGiveTheTextAndNoneIsEmpty() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(24))) {
            StringBuilder joined = new StringBuilder();
            for (String delta : stream) {
                assertThat(delta).isNotEmpty();
                assertThat(Character.isHighSurrogate(delta.charAt(delta.length() - 1)))
                        .as("delta %s cuts a character", delta)
                        .isFalse();
                joined.append(delta);
            }
            assertThat(stream.iterator()).isSameAs(stream.iterator()).isExhausted();
            assertThat(stream.result().text()).isEqualTo(joined.toString()).isNotEmpty();
        }
    }

    @Test
    default void deltasJoinedGiveTheResult() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(LENGTH))) {
            StringBuilder answer = new StringBuilder();
            StringBuilder reasoning = new StringBuilder();
            List<ToolCall> calls = new ArrayList<>();
            for (Iterator<Delta> deltas = stream.deltas(); deltas.hasNext(); ) {
                Delta delta = deltas.next();
                answer.append(delta.text(Channel.ANSWER));
                reasoning.append(delta.text(Channel.REASONING));
                if (delta instanceof Delta.Call call) {
                    calls.add(call.call());
                }
            }
            assertThat(stream.result().calls()).isEqualTo(calls);
            assertThat(stream.result().text()).isEqualTo(answer.toString());
            assertThat(stream.result().reasoning()).isEqualTo(reasoning.toString());
        }
    }

    @Test
    default void resultBeforeTheEndGeneratesTheRest() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(24))) {
            String first = stream.iterator().next();
            Generation whole = stream.result();
            assertThat(whole.text()).startsWith(first).isEqualTo(text(generator, upTo(24)));
            assertThat(stream.result()).isEqualTo(whole);
        }
    }

    @Test
    default void noMoreThanMaxTokensAreProduced() {
        try (Generator generator = open()) {
            for (int max : new int[] {1, 3, LENGTH}) {
                Generation generation = generator.generate(prompt(), upTo(max));
                assertThat(generation.tokens()).hasSize(max);
                assertThat(generation.finish()).isEqualTo(FinishReason.MAX_TOKENS);
            }
        }
    }

    @Test
    default void usageCountsPromptAndCompletion() {
        try (Generator generator = open()) {
            Generation generation = generator.generate(prompt(), upTo(LENGTH));
            Usage usage = generation.usage();
            assertThat(usage.promptTokens()).isEqualTo(generator.countTokens(prompt()));
            assertThat(usage.completionTokens()).isEqualTo(generation.tokens().size());
            assertThat(List.of(usage.load(), usage.prefill(), usage.decode()))
                    .allSatisfy(time -> assertThat(time).isGreaterThanOrEqualTo(Duration.ZERO));
        }
    }

    @Test
    default void aStopStringEndsTheTextAndIsNotInIt() {
        try (Generator generator = open()) {
            String whole = text(generator, upTo(LENGTH));
            int middle = whole.offsetByCodePoints(0, whole.codePointCount(0, whole.length()) / 2);
            String stop = whole.substring(middle, whole.offsetByCodePoints(middle, 1));
            GenerationOptions options = upTo(LENGTH).toBuilder().stop(stop).build();
            try (GenerationStream stream = generator.stream(prompt(), options)) {
                StringBuilder joined = new StringBuilder();
                stream.forEach(joined::append);
                assertThat(stream.result().finish()).isEqualTo(FinishReason.STOP_STRING);
                assertThat(joined.toString())
                        .isEqualTo(whole.substring(0, whole.indexOf(stop)))
                        .isEqualTo(stream.result().text());
            }
        }
    }

    @Test
    default void aStopStringThatNeverComesTakesNothingAway() {
        try (Generator generator = open()) {
            String whole = text(generator, upTo(LENGTH));
            String never = whole.substring(whole.offsetByCodePoints(whole.length(), -1)) + "\u0001never";
            assertThat(text(generator, upTo(LENGTH).toBuilder().stop(never).build()))
                    .isEqualTo(whole);
        }
    }

    @Test
    default void cancelFromAnotherThreadReturnsTextSoFar() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(LENGTH))) {
            Iterator<String> deltas = stream.iterator();
            StringBuilder joined = new StringBuilder(deltas.next());
            CompletableFuture.runAsync(stream::cancel).join();
            deltas.forEachRemaining(joined::append);
            Generation generation = stream.result();
            assertThat(generation.finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(generation.text()).isEqualTo(joined.toString()).isNotEmpty();
            assertThat(generation.tokens()).isNotEmpty().hasSizeLessThan(LENGTH);
            assertThat(generation.usage().completionTokens())
                    .isEqualTo(generation.tokens().size());
            assertThat(generation.usage().promptTokens()).isEqualTo(generator.countTokens(prompt()));
        }
    }

    @Test
    default void cancelBeforeTheFirstTokenIsNoError() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(LENGTH))) {
            stream.cancel();
            stream.cancel();
            assertThat(stream.result().finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(stream.result().tokens()).hasSizeLessThan(LENGTH);
        }
    }

    @Test
    default void anInterruptEndsTheGenerationAndTheThreadStaysInterrupted() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(LENGTH))) {
            String first = stream.iterator().next();
            Interrupted.isRefused(stream::result);
            assertThat(stream.result().text()).startsWith(first).isEqualTo(text(generator, upTo(LENGTH)));
            Interrupted.isRefused(() -> generator.generate(prompt(), upTo(LENGTH)));
        }
    }

    @Test
    default void aCancelledStreamHasItsTextAlsoWhereTheThreadIsInterrupted() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(prompt(), upTo(LENGTH))) {
            String first = stream.iterator().next();
            stream.cancel();
            Thread.currentThread().interrupt();
            try {
                assertThat(stream.result().text()).startsWith(first);
                assertThat(stream.result().finish()).isEqualTo(FinishReason.CANCELLED);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
        }
    }

    @Test
    default void theSameSeedGivesTheSameText() {
        try (Generator generator = open()) {
            GenerationOptions sampled =
                    upTo(LENGTH).toBuilder().temperature(1).seed(7).build();
            assertThat(text(generator, sampled)).isEqualTo(text(generator, sampled));
        }
    }

    @Test
    default void concurrentStreamsAllFinishWithTheirOwnText() {
        try (Generator generator = open()) {
            String expected = text(generator, upTo(LENGTH));
            List<CompletableFuture<String>> runs = IntStream.range(0, 3)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> text(generator, upTo(LENGTH))))
                    .toList();
            assertThat(runs).allSatisfy(run -> assertThat(run.join()).isEqualTo(expected));
        }
    }

    @Test
    default void aPromptOverTheContextIsRefused() {
        try (Generator generator = open()) {
            Prompt tooLong = Prompt.text("word ".repeat(generator.info().contextLength() + 1));
            assertThat(generator.countTokens(tooLong))
                    .isGreaterThan(generator.info().contextLength());
            assertThatThrownBy(() -> generator.stream(tooLong, upTo(1)).result())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(Integer.toString(generator.info().contextLength()));
        }
    }

    @Test
    default void aStreamClosedBeforeItsEndHasNoResult() {
        try (Generator generator = open()) {
            GenerationStream stream = generator.stream(prompt(), upTo(LENGTH));
            stream.iterator().next();
            stream.close();
            stream.close();
            assertThatThrownBy(stream::result).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    default void aStreamClosedAfterItsEndKeepsItsResult() {
        try (Generator generator = open()) {
            GenerationStream stream = generator.stream(prompt(), upTo(LENGTH));
            Generation generation = stream.result();
            stream.close();
            assertThat(stream.result()).isEqualTo(generation);
        }
    }

    @Test
    default void closingTheGeneratorEndsItsStreamsAsCancelled() {
        Generator generator = open();
        try (GenerationStream stream = generator.stream(prompt(), upTo(LENGTH))) {
            stream.iterator().next();
            generator.close();
            assertThat(stream.result().finish()).isEqualTo(FinishReason.CANCELLED);
        }
    }

    @Test
    default void closingTwiceIsClosingOnceAndUseAfterwardsIsAnError() {
        Generator generator = open();
        generator.close();
        generator.close();
        assertThatThrownBy(() -> generator.stream(prompt(), upTo(1)).result())
                .isInstanceOf(IllegalStateException.class);
    }

    private static GenerationOptions upTo(int maxTokens) {
        return GenerationOptions.builder().maxTokens(maxTokens).build();
    }

    private String text(Generator generator, GenerationOptions options) {
        return generator.generate(prompt(), options).text();
    }
}
