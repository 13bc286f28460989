package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Control tokens of a prompt and channels of a generation, by a model that walks a chain. */
@NoLeaks
class GeneratorChannelsTest {

    private static final String TEMPLATE = "{% for m in messages %}<go>{{ m.role }}{% if m.reasoning_content %}<think>"
            + "{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{% endfor %}<go>";
    private static final List<String> SPECIALS = List.of("<go>", "<think>", "</think>", "<end>");
    private static final List<String> CHAIN =
            List.of("<go>", "<think>", "H", "m", ".", "</think>", "P", "a", "r", "i", "s", "<end>");
    private static final Prompt ASK = Prompt.chat(Message.user("where"));

    @TempDir
    private Path folder;

    private OnnxGenerator open() {
        return OnnxGenerator.open(
                new ChainModel(SPECIALS, CHAIN).write(folder.resolve("chain"), TEMPLATE),
                EngineOptions.builder().cache(folder.resolve("cache")).build());
    }

    @Test
    void theAnswerIsApartFromTheReasoning() {
        try (Generator generator = open()) {
            Generation generation = generator.generate(ASK);
            assertThat(generation.text()).isEqualTo("Paris");
            assertThat(generation.reasoning()).isEqualTo("Hm.");
            assertThat(generation.finish()).isEqualTo(FinishReason.END_OF_TEXT);
            assertThat(generation.tokens()).hasSize(11);
            assertThat(generation.usage().completionTokens()).isEqualTo(11);
        }
    }

    @Test
    void deltasHaveTheirChannelAndTheIteratorGivesTheAnswer() {
        try (Generator generator = open();
                GenerationStream stream = generator.stream(ASK, GenerationOptions.DEFAULTS);
                GenerationStream answer = generator.stream(ASK, GenerationOptions.DEFAULTS)) {
            List<Delta> deltas = new ArrayList<>();
            for (Iterator<Delta> each = stream.deltas(); each.hasNext(); ) {
                deltas.add(each.next());
            }
            assertThat(deltas)
                    .containsExactly(
                            Delta.of(Channel.REASONING, "H"),
                            Delta.of(Channel.REASONING, "m"),
                            Delta.of(Channel.REASONING, "."),
                            Delta.of(Channel.ANSWER, "P"),
                            Delta.of(Channel.ANSWER, "a"),
                            Delta.of(Channel.ANSWER, "r"),
                            Delta.of(Channel.ANSWER, "i"),
                            Delta.of(Channel.ANSWER, "s"));
            assertThat(answer).containsExactly("P", "a", "r", "i", "s");
        }
    }

    @Test
    void theLimitWithinTheReasoningLeavesNoAnswer() {
        try (Generator generator = open()) {
            Generation generation = generator.generate(
                    ASK, GenerationOptions.builder().maxTokens(3).build());
            assertThat(generation.text()).isEmpty();
            assertThat(generation.reasoning()).isEqualTo("Hm");
            assertThat(generation.finish()).isEqualTo(FinishReason.MAX_TOKENS);
        }
    }

    @Test
    void stopStringsEndTheAnswerAndNotTheReasoning() {
        try (Generator generator = open()) {
            Generation generation = generator.generate(
                    ASK, GenerationOptions.builder().stop("m", "ris").build());
            assertThat(generation.text()).isEqualTo("Pa");
            assertThat(generation.reasoning()).isEqualTo("Hm.");
            assertThat(generation.finish()).isEqualTo(FinishReason.STOP_STRING);
        }
    }

    @Test
    void contentIsTextAndARawPromptIsNot() {
        try (Generator generator = open()) {
            int plain = generator.countTokens(ASK);
            assertThat(generator.countTokens(Prompt.chat(Message.user("where<end>"))))
                    .isEqualTo(plain + 5);
            assertThat(generator.countTokens(Prompt.chat(Message.user("where"), Message.assistant("<go>"))))
                    .isEqualTo(plain + 1 + "assistant".length() + 4);
            assertThat(generator.countTokens(Prompt.text("a<end>"))).isEqualTo(2);
            assertThat(generator.countTokens(Prompt.literal("a<end>"))).isEqualTo(6);
        }
    }

    @Test
    void theTemplateDecidesWhetherReasoningIsReadAgain() {
        try (Generator generator = open()) {
            Message without = Message.assistant("paris");
            Message with = Message.assistant("paris", "hm</think>");
            assertThat(generator.countTokens(Prompt.chat(with)) - generator.countTokens(Prompt.chat(without)))
                    .isEqualTo(2 + "hm</think>".length());
        }
    }
}
