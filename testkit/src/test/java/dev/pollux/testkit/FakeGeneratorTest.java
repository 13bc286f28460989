package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import org.junit.jupiter.api.Test;

class FakeGeneratorTest implements GeneratorContract {

    @Override
    public Generator open() {
        return FakeGenerator.saying("a twin that answered from its owner's papers, and never made anything up.");
    }

    @Test
    void theScriptSeesThePrompt() {
        try (FakeGenerator generator = FakeGenerator.answering(
                prompt -> ((Prompt.Chat) prompt).messages().get(0).content() + " yourself")) {
            Prompt prompt = Prompt.chat(Message.user("Say it"));
            Generation generation = generator.generate(prompt);
            assertThat(generation.text()).isEqualTo("Say it yourself");
            assertThat(generation.finish()).isEqualTo(FinishReason.END_OF_TEXT);
            assertThat(generation.usage().promptTokens()).isEqualTo(3);
            assertThat(generation.usage().completionTokens()).isEqualTo(4);
            assertThat(generator.prompts()).containsExactly(prompt);
        }
    }

    @Test
    void theContextEndsTheText() {
        try (FakeGenerator generator = FakeGenerator.answering(5, prompt -> "one two three four")) {
            Generation generation = generator.generate(Prompt.text("count to four"));
            assertThat(generation.text()).isEqualTo("one two");
            assertThat(generation.finish()).isEqualTo(FinishReason.CONTEXT_FULL);
            assertThatThrownBy(() -> generator.generate(Prompt.text("count to no more than four")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("The prompt has 6 tokens but the model reads 5; shorten it");
        }
    }

    @Test
    void aStopStringMayReachOverWords() {
        try (FakeGenerator generator = FakeGenerator.saying("one two three")) {
            Generation generation = generator.generate(
                    Prompt.text("count"),
                    GenerationOptions.builder().stop("o thr").build());
            assertThat(generation.text()).isEqualTo("one tw");
            assertThat(generation.finish()).isEqualTo(FinishReason.STOP_STRING);
        }
    }

    @Test
    void aTextAloneIsWhatAUserSays() {
        try (FakeGenerator generator = FakeGenerator.saying("yes");
                GenerationStream stream = generator.stream("Are you there?")) {
            assertThat(stream.result().text()).isEqualTo("yes");
            assertThat(generator.generate("And now?").text()).isEqualTo("yes");
            assertThat(generator.prompts())
                    .containsExactly(
                            Prompt.chat(Message.user("Are you there?")), Prompt.chat(Message.user("And now?")));
        }
    }

    @Test
    void aModelThatDoesNotChatGoesOnWithTheText() {
        try (FakeGenerator generator = FakeGenerator.withoutChat(prompt -> "and on")) {
            generator.generate("Once");

            assertThat(generator.prompts()).containsExactly(Prompt.literal("Once"));
            assertThat(generator.info().sampling()).isEqualTo(GenerationOptions.SAMPLED);
        }
    }
}
