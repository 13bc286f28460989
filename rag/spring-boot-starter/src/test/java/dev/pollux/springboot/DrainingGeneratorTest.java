package dev.pollux.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Prompt;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.GeneratorContract;
import dev.pollux.testkit.NoLeaks;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@NoLeaks
class DrainingGeneratorTest {

    @Test
    void openStreamsAreCountedAndAwaited() {
        try (DrainingGenerator generator = new DrainingGenerator(FakeGenerator.saying("one two"))) {
            assertThat(generator.awaitIdle(Duration.ZERO)).isTrue();
            GenerationStream first = generator.stream("x");
            GenerationStream second = generator.stream("y");
            assertThat(generator.running()).isEqualTo(2);
            assertThat(generator.awaitIdle(Duration.ofNanos(1))).isFalse();
            first.close();
            first.close();
            CompletableFuture<Boolean> idle =
                    CompletableFuture.supplyAsync(() -> generator.awaitIdle(Duration.ofHours(1)));
            second.close();
            assertThat(idle.join()).isTrue();
            assertThat(generator.running()).isZero();
        }
    }

    @Test
    void aRefusedPromptDoesNotCount() {
        try (DrainingGenerator generator = new DrainingGenerator(FakeGenerator.answering(2, prompt -> "x"))) {
            assertThatThrownBy(() -> generator.stream(Prompt.text("far too long"), GenerationOptions.DEFAULTS))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(generator.running()).isZero();
        }
    }

    @Test
    void anInterruptEndsTheWaiting() {
        try (DrainingGenerator generator = new DrainingGenerator(FakeGenerator.saying("x"));
                GenerationStream stream = generator.stream("x")) {
            Thread.currentThread().interrupt();
            assertThat(generator.awaitIdle(Duration.ofHours(1))).isFalse();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(stream.result().text()).isEqualTo("x");
        }
    }

    @Nested
    class Contract implements GeneratorContract {
        @Override
        public Generator open() {
            return new DrainingGenerator(FakeGenerator.saying("a long tale of a boat and a harbour ".repeat(40)));
        }
    }
}
