package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.inference.template.TemplateException;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model whose tokens are letters, under templates of all kinds: a prompt has as many tokens as its text has letters. */
@NoLeaks
class ChatPromptTest {

    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz[]{}%().:;'\n ";
    private static final String REFUSES_SYSTEM = "{% for m in messages %}{% if m.role == 'system' %}"
            + "{{ raise_exception('no system here') }}{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}";

    @TempDir
    Path temp;

    private OnnxGenerator open(String template) throws IOException {
        Path model = Files.createTempDirectory(temp, "m").resolve("tiny");
        TinyLlama.Shape shape = new TinyLlama.Shape(4, 2, 8, false, true, "{\"rope_type\": \"default\"}");
        new TinyLlama(shape, 1, new double[4], 1).write(model);
        String vocabulary = IntStream.range(0, LETTERS.length())
                .mapToObj(
                        id -> "\"" + (LETTERS.charAt(id) == '\n' ? "\\n" : LETTERS.substring(id, id + 1)) + "\": " + id)
                .collect(Collectors.joining(", "));
        Files.writeString(
                model.resolve("tokenizer.json"),
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {" + vocabulary + "}, \"merges\": []}}");
        Files.writeString(model.resolve("chat_template.jinja"), template);
        return OnnxGenerator.open(
                model, EngineOptions.builder().cache(temp.resolve("cache")).build());
    }

    @Test
    void whatNeedsNoTemplateWorksWithOneThatIsBroken() throws IOException {
        try (OnnxGenerator generator = open("{% for m in messages %}{{ m.content")) {
            assertThat(generator.info().chat()).isFalse();
            assertThat(generator.countTokens(Prompt.text("is it so"))).isEqualTo(8);
            GenerationOptions three = GenerationOptions.builder().maxTokens(3).build();
            assertThat(generator.generate(Prompt.text("is it so"), three).tokens())
                    .isNotEmpty();
            try (DecoderSequence sequence = generator.model().sequence()) {
                assertThat(sequence.append(1, 2, 3).remaining()).isEqualTo(TinyLlama.VOCABULARY);
            }
            assertThatThrownBy(() -> generator.countTokens(Prompt.chat(Message.user("is it so"))))
                    .isInstanceOf(TemplateException.class)
                    .hasMessage("The chat template of tiny fails: Chat template line 1, column 24: the tag that begins"
                            + " here has no end; use raw text (Prompt.text, --raw), which needs no template");
        }
    }

    @Test
    void whatATemplateRefusesInEveryFormIsToldInItsWordsWithAdvice() throws IOException {
        try (OnnxGenerator generator = open("{{ raise_exception('Only on Sundays') }}")) {
            assertThatThrownBy(() -> generator.countTokens(Prompt.chat(Message.user("now"))))
                    .isInstanceOfSatisfying(
                            TemplateException.class,
                            e -> assertThat(e.raisedByTemplate()).isTrue())
                    .hasMessage("The chat template of tiny fails: Only on Sundays; use raw text (Prompt.text, --raw),"
                            + " which needs no template");
        }
    }

    @Test
    void instructionsAndWordsAreInThePromptWhateverTheTemplateCanDo() throws IOException {
        Prompt prompt = Prompt.chat(Message.system("be brief"), Message.user("is it so"));
        try (OnnxGenerator generator = open(REFUSES_SYSTEM)) {
            assertThat(generator.countTokens(prompt)).isEqualTo("[user]be brief\n\nis it so".length());
        }
        try (OnnxGenerator generator =
                open("{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}.{% endfor %}")) {
            assertThat(generator.countTokens(prompt)).isEqualTo("be brief.is it so.".length());
        }
    }

    @Test
    void whoeverTakesRawTextWhereThereIsNoTemplateTakesItForOneThatFails() throws IOException {
        for (String failing :
                List.of("{{ raise_exception('never') }}", "{{ messages[0].content.absent.deep }}", "{% if %}")) {
            try (OnnxGenerator generator = open(failing)) {
                assertThat(generator.info().chat()).as(failing).isFalse();
            }
        }
        try (OnnxGenerator generator = open(REFUSES_SYSTEM)) {
            assertThat(generator.info().chat()).isTrue();
        }
    }

    @Test
    void toolsAndDocumentsThatATemplateGoesThroughAreEmptyWhereNoneDoesNotDo() throws IOException {
        String words = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
        Prompt prompt = Prompt.chat(Message.system("be brief"), Message.user("is it so"));
        for (String template : List.of(
                "{% for tool in tools %}{{ tool.name }}{% endfor %}" + words,
                "{% for document in documents %}{{ document.text }}{% endfor %}" + words,
                "{% for x in tools %}x{% endfor %}{% for x in documents %}x{% endfor %}" + words,
                "{% if messages[0].role == 'system' %}{% for x in tools %}x{% endfor %}{% endif %}" + words,
                "{% if tools is not none %}tools{% endif %}{% for x in documents %}x{% endfor %}" + words)) {
            try (OnnxGenerator generator = open(template)) {
                assertThat(generator.countTokens(prompt))
                        .as(template)
                        .isEqualTo("[system]be brief[user]is it so".length());
                assertThat(generator.info().chat()).isTrue();
            }
        }
    }

    @Test
    void toolsAndCallsAreInThePromptOrTheyAreRefused() throws IOException {
        Tool tool = new Tool("look", "looks around", "{}");
        ToolCall call = ToolCall.of("look", "{\"at\": \"sea\"}");
        Message asks = Message.user("is it so");
        List<Message> called = List.of(asks, Message.calling(call), Message.tool(call, "blue"));
        String words = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% for c in m.tool_calls %}"
                + "({{ c.function.name }} {{ c.function.arguments.at }}){% endfor %}{% endfor %}";
        try (OnnxGenerator generator =
                open("{% for t in tools %}{{ t.function.name }}: {{ t.function.description }}.{% endfor %}" + words)) {
            assertThat(generator.countTokens(Prompt.chat(List.of(asks), List.of(tool))))
                    .isEqualTo("look: looks around.[user]is it so".length());
            assertThat(generator.countTokens(Prompt.chat(called, List.of(tool))))
                    .isEqualTo("look: looks around.[user]is it so[assistant](look sea)[tool]blue".length());
        }
        try (OnnxGenerator generator = open(REFUSES_SYSTEM)) {
            assertThatThrownBy(() -> generator.countTokens(Prompt.chat(List.of(asks), List.of(tool))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "The chat template of tiny does not show tools; ask without tools, or use a model that was"
                                    + " made to call them");
            assertThatThrownBy(() -> generator.countTokens(Prompt.chat(called)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "The chat template of tiny does not show tool calls; leave them out, or use a model that"
                                    + " was made to call tools");
        }
    }

    @Test
    void argumentsThatAreNoJsonAreRefused() throws IOException {
        try (OnnxGenerator generator = open(REFUSES_SYSTEM)) {
            Message broken = Message.calling(ToolCall.of("look", "{at}"));
            assertThatThrownBy(() -> generator.countTokens(Prompt.chat(Message.user("a"), broken)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("The arguments of a call of look ");
        }
    }

    @Test
    void threadsThatComeFirstAtOnceReadTheSamePrompt() throws IOException {
        Prompt prompt = Prompt.chat(Message.system("be brief"), Message.user("is it so"));
        try (OnnxGenerator generator = open(REFUSES_SYSTEM)) {
            Set<Integer> counts = ConcurrentHashMap.newKeySet();
            List<Thread> threads = IntStream.range(0, 8)
                    .mapToObj(i -> new Thread(() -> counts.add(generator.countTokens(prompt))))
                    .toList();
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(counts).containsExactly("[user]be brief\n\nis it so".length());
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
