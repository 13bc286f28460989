package dev.pollux.inference.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.PolluxException;
import dev.pollux.generation.Message;
import dev.pollux.inference.template.ChatTemplate.Input;
import dev.pollux.inference.template.ChatTemplate.Rendering;
import dev.pollux.inference.template.ChatTemplate.Span;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {

    private static final String CHATML = """
            {% for m in messages %}
            {{ '<|' ~ m.role ~ '|>' }}
            {% if m.role == 'assistant' %}
            {% generation %}
            {{ m.content }}
            {% endgeneration %}
            {% else %}
            {{ m.content }}
            {% endif %}
            {% endfor %}
            {% if add_generation_prompt %}
            {{ '<|assistant|>' }}
            {% endif %}""";

    private static Input.Builder conversation(Message... messages) {
        return Input.builder().conversation(List.of(messages));
    }

    @Test
    void rendersAConversationUpToTheAnswer() {
        String text =
                ChatTemplate.parse(CHATML).render(Input.of(List.of(Message.system("Be kind."), Message.user("Hi"))));
        assertThat(text).isEqualTo("<|system|>\nBe kind.\n<|user|>\nHi\n<|assistant|>\n");
    }

    @Test
    void tellsWhatTheAssistantWrote() {
        Rendering rendering = ChatTemplate.parse(CHATML)
                .renderWithSpans(conversation(
                                Message.user("a"), Message.assistant("b🙂"), Message.user("c"), Message.assistant("d"))
                        .build());
        assertThat(rendering.generations().stream().map(span -> rendering.text().substring(span.begin(), span.end())))
                .containsExactly("b🙂\n", "d\n");
    }

    @Test
    void findsGenerationsInMacrosAndVariablesThatAreWrittenAsTheyAre() {
        ChatTemplate template = ChatTemplate.parse("{% macro m(x) %}[{% generation %}{{ x }}{% endgeneration %}]"
                + "{% endmacro %}{% set s %}({{ m('b') }}){% endset %}{{ m('a') }}-{{ s }}-{{ m('c')|upper }}");
        assertThat(template.renderWithSpans(Input.builder().build()))
                .isEqualTo(new Rendering("[a]-([b])-[C]", List.of(), List.of(new Span(1, 2), new Span(6, 7))));
    }

    @Test
    void whatIsNotGivenIsNoneOrUndefined() {
        ChatTemplate template = ChatTemplate.parse(
                "{{ tools }} {{ documents }} {{ add_generation_prompt }} {{ bos_token is defined }} {{ messages }}");
        assertThat(template.render(Input.builder().build())).isEqualTo("None None False False []");
    }

    @Test
    void takesToolsDocumentsTokensVariablesAndClock() {
        Input input = conversation()
                .tools(List.of(Map.of("name", "f")))
                .documents(List.of(Map.of("title", "t")))
                .bosToken("<s>")
                .eosToken("</s>")
                .variable("enable_thinking", false)
                .clock(Clock.fixed(Instant.parse("2026-03-05T23:30:00Z"), ZoneOffset.ofHours(2)))
                .build();
        assertThat(ChatTemplate.parse("{{ bos_token }}{{ tools[0].name }}{{ documents[0].title }}{{ enable_thinking }}"
                                + "{{ strftime_now('%d %b %Y %H:%M') }}{{ eos_token }}")
                        .render(input))
                .isEqualTo("<s>ftFalse06 Mar 2026 01:30</s>");
    }

    @Test
    void javaValuesBecomePythonValues() {
        Input input = Input.builder()
                .variable(
                        "x",
                        Arrays.asList(
                                1,
                                2L,
                                (short) 3,
                                1.5,
                                0.1f,
                                true,
                                null,
                                'c',
                                "s",
                                Optional.empty(),
                                Map.of("k", new Object[] {1})))
                .build();
        assertThat(ChatTemplate.parse("{{ x }}").render(input))
                .isEqualTo("[1, 2, 3, 1.5, 0.1, True, None, 'c', 's', None, {'k': [1]}]");
        assertThatThrownBy(() -> ChatTemplate.parse("")
                        .render(Input.builder()
                                .variable("x", new StringBuilder().getClass())
                                .build()))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Chat template line 1, column 1: a template cannot be given a java.lang.Class; "
                        + "use maps, lists, strings, numbers, booleans or null");
    }

    @Test
    void continuesTheFinalMessage() {
        Input input = conversation(Message.user("Hi"), Message.assistant("Once upon "))
                .continueFinalMessage(true)
                .build();
        Rendering rendering = ChatTemplate.parse(CHATML + "<|end|>").renderWithSpans(input);
        assertThat(rendering)
                .isEqualTo(new Rendering(
                        "<|user|>\nHi\n<|assistant|>\nOnce upon ",
                        List.of(new Span(9, 11), new Span(26, 36)),
                        List.of(new Span(26, 36))));
        ChatTemplate trims = ChatTemplate.parse("{{ messages[-1].content|trim }}<|end|>");
        assertThat(trims.render(input)).isEqualTo("Once upon");
    }

    @Test
    void aMessageThatIsNotRenderedCannotBeContinued() {
        Input input = conversation(Message.assistant("abc"))
                .continueFinalMessage(true)
                .build();
        assertThatThrownBy(() -> ChatTemplate.parse("x").render(input))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Chat template line 1, column 1: the final message cannot be continued: "
                        + "the template does not render its content as it is");
    }

    @Test
    void contradictoryInputIsRefused() {
        assertThatThrownBy(() -> Input.builder()
                        .addGenerationPrompt(true)
                        .continueFinalMessage(true)
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("addGenerationPrompt and continueFinalMessage exclude each other; choose one");
        assertThatThrownBy(() -> Input.builder().variable("messages", 1).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("variables must not hold 'messages'; it has a parameter of its own");
    }

    @Test
    void theTemplatesOwnRefusalComesThroughUnchanged() {
        ChatTemplate template = ChatTemplate.parse("a\n  {{ raise_exception('No <system> role: é') }}");
        assertThatThrownBy(() -> template.render(Input.builder().build()))
                .isInstanceOf(PolluxException.class)
                .isInstanceOfSatisfying(TemplateException.class, e -> {
                    assertThat(e.raisedByTemplate()).isTrue();
                    assertThat(e.line()).isEqualTo(2);
                    assertThat(e.column()).isEqualTo(21);
                })
                .hasMessage("No <system> role: é");
    }

    @Test
    void errorsNameTheirPlace() {
        assertSyntax("a\n{% iff x %}", "Chat template line 2, column 4: unknown tag 'iff'");
        assertSyntax("{{ a", "Chat template line 1, column 1: the tag that begins here has no end");
        assertSyntax("{{ (a] }}", "Chat template line 1, column 6: unexpected ']', expected ')'");
        assertSyntax(
                "{% for x in y %}",
                "Chat template line 1, column 17: " + "the template ends early, expected 'else' or 'endfor'");
        assertSyntax("{{ x|nope }}", "Chat template line 1, column 6: there is no filter named 'nope'");
        assertSyntax(
                "{% include 'x' %}",
                "Chat template line 1, column 4: 'include' is not available: "
                        + "a chat template is a single file and reads no other file");
        assertRuntime(
                "\n{{ 1 + 'a' }}",
                "Chat template line 2, column 6: " + "TypeError: unsupported operand type(s) for +: 'int' and 'str'");
        assertRuntime("{{ x.y.z }}", "Chat template line 1, column 5: 'x' is undefined");
        assertRuntime("{{ messages[0].role }}", "Chat template line 1, column 15: list object has no element 0");
        assertRuntime(
                "{{ [].append(1) }}",
                "Chat template line 1, column 13: " + "access to attribute 'append' of 'list' object is unsafe");
    }

    private static void assertSyntax(String source, String message) {
        assertThatThrownBy(() -> ChatTemplate.parse(source))
                .isInstanceOf(TemplateException.class)
                .hasMessage(message);
    }

    private static void assertRuntime(String source, String message) {
        ChatTemplate template = ChatTemplate.parse(source);
        assertThatThrownBy(() -> template.render(Input.builder().build()))
                .isInstanceOf(TemplateException.class)
                .hasMessage(message);
    }

    @Test
    void oneTemplateServesManyThreads() throws Exception {
        ChatTemplate template = ChatTemplate.parse(
                "{% set n = namespace(c=0) %}{% for i in range(k) %}" + "{% set n.c = n.c + i %}{% endfor %}{{ n.c }}");
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Callable<String>> tasks = java.util.stream.IntStream.range(0, 200)
                    .<Callable<String>>mapToObj(k -> () ->
                            template.render(Input.builder().variable("k", k).build()))
                    .toList();
            List<Future<String>> results = pool.invokeAll(tasks);
            for (int k = 0; k < results.size(); k++) {
                assertThat(results.get(k).get()).isEqualTo(String.valueOf(k * (k - 1) / 2));
            }
        } finally {
            pool.shutdownNow();
        }
    }
}
