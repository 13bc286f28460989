package dev.pollux.inference.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Message;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The templates of published models, held to what Jinja2 renders. */
class GoldenChatTemplatesTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-15T12:00:00Z"), ZoneOffset.UTC);

    @TestFactory
    Stream<DynamicTest> rendersAsJinja2() throws IOException {
        Path set = ReferenceData.golden("chat-templates");
        JsonNode cases = JsonNode.parse(Files.readString(set.resolve("cases.json")));
        assertThat(cases.size()).as("cases in " + set).isPositive();
        return cases.valueStream()
                .map(golden -> DynamicTest.dynamicTest(
                        golden.get("template").asString() + " "
                                + golden.get("case").asString(),
                        () -> check(set, golden)));
    }

    /** Content is found in the text as input, and what is left is the template's. */
    @TestFactory
    Stream<DynamicTest> knowsTheContentInWhatItRenders() throws IOException {
        Path set = ReferenceData.golden("chat-templates");
        return JsonNode.parse(Files.readString(set.resolve("cases.json")))
                .valueStream()
                .filter(golden -> golden.has("output"))
                .map(golden -> DynamicTest.dynamicTest(
                        golden.get("template").asString() + " "
                                + golden.get("case").asString(),
                        () -> checkInputs(set, golden)));
    }

    /** Conversations of {@link Message}s with calls and {@link Tool}s give the text of the same in the form of the chat API. */
    @TestFactory
    Stream<DynamicTest> rendersMessagesAndTools() throws IOException {
        Path set = ReferenceData.golden("chat-templates");
        return JsonNode.parse(Files.readString(set.resolve("cases.json")))
                .valueStream()
                .filter(golden -> golden.has("output")
                        && golden.get("inputs").path("tools").size() > 0)
                .map(golden -> DynamicTest.dynamicTest(
                        golden.get("template").asString() + " "
                                + golden.get("case").asString(),
                        () -> {
                            Path file = set.resolve("templates")
                                    .resolve(golden.get("template").asString());
                            JsonNode inputs = golden.get("inputs");
                            ChatTemplate.Input input = ChatTemplate.Input.builder()
                                    .conversation(conversation(inputs.get("messages")))
                                    .tools(inputs.get("tools")
                                            .valueStream()
                                            .map(GoldenChatTemplatesTest::tool)
                                            .toList())
                                    .addGenerationPrompt(
                                            inputs.path("add_generation_prompt").asBoolean())
                                    .bosToken("<s>")
                                    .eosToken("</s>")
                                    .clock(CLOCK)
                                    .build();
                            assertThat(ChatTemplate.parse(Files.readString(file))
                                            .render(input))
                                    .isEqualTo(golden.get("output").asString());
                        }));
    }

    private static List<Message> conversation(JsonNode messages) {
        List<Message> conversation = new ArrayList<>();
        Map<String, ToolCall> calls = new HashMap<>();
        messages.valueStream().forEach(message -> {
            List<ToolCall> made = new ArrayList<>();
            message.path("tool_calls").valueStream().forEach(call -> {
                JsonNode function = call.get("function");
                made.add(new ToolCall(
                        call.path("id").asString(),
                        function.get("name").asString(),
                        function.get("arguments").toString()));
            });
            made.forEach(call -> calls.put(call.id(), call));
            String role = message.get("role").asString();
            String content = message.path("content").asString();
            conversation.add(
                    role.equals("tool")
                            ? Message.tool(
                                    Objects.requireNonNull(calls.get(
                                            message.get("tool_call_id").asString())),
                                    content)
                            : new Message(role, content, "", made));
        });
        return conversation;
    }

    private static Tool tool(JsonNode json) {
        JsonNode function = json.get("function");
        return new Tool(
                function.get("name").asString(),
                function.get("description").asString(),
                function.get("parameters").toString());
    }

    private static void checkInputs(Path set, JsonNode golden) throws IOException {
        Path file = set.resolve("templates").resolve(golden.get("template").asString());
        ChatTemplate template = ChatTemplate.parse(Files.readString(file));
        ChatTemplate.Rendering rendering = template.renderWithSpans(input(golden.get("inputs")));
        StringBuilder own = new StringBuilder(rendering.text());
        for (ChatTemplate.Span span : rendering.inputs()) {
            own.replace(span.begin(), span.end(), "\0".repeat(span.end() - span.begin()));
        }
        for (JsonNode message : golden.get("inputs").get("messages")) {
            String content = message.path("content").isString()
                    ? message.path("content").asString().strip()
                    : "";
            if (content.length() >= 4 && !template.source().contains(content)) {
                assertThat(own.toString()).doesNotContain(content);
            }
        }
        if (golden.get("inputs").get("messages").size() > 0) {
            assertThat(rendering.inputs()).isNotEmpty();
        }
    }

    @TestFactory
    Stream<DynamicTest> parsesEveryTemplateOfTheSet() {
        Path templates = ReferenceData.golden("chat-templates").resolve("templates");
        return ReferenceData.cases(templates, file -> file.toString().endsWith(".jinja")).stream()
                .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
                    String source = Files.readString(file);
                    assertThat(ChatTemplate.parse(source).source()).isEqualTo(source);
                }));
    }

    private static void check(Path set, JsonNode golden) throws IOException {
        Path file = set.resolve("templates").resolve(golden.get("template").asString());
        ChatTemplate template = ChatTemplate.parse(Files.readString(file));
        ChatTemplate.Input input = input(golden.get("inputs"));
        if (golden.has("output")) {
            assertThat(template.render(input)).isEqualTo(golden.get("output").asString());
        } else if (golden.get("error_type").asString().equals("TemplateError")) {
            assertThatThrownBy(() -> template.render(input))
                    .isInstanceOfSatisfying(
                            TemplateException.class,
                            e -> assertThat(e.raisedByTemplate()).isTrue())
                    .hasMessage(golden.get("error").asString());
        } else {
            assertThatThrownBy(() -> template.render(input)).isInstanceOfSatisfying(TemplateException.class, e -> {
                assertThat(e.raisedByTemplate()).isFalse();
                assertThat(e)
                        .hasMessageStartingWith("Chat template line " + e.line() + ", column " + e.column() + ": ");
            });
        }
    }

    @SuppressWarnings("unchecked") // of what the template takes, which checks it
    private static <T> List<T> list(JsonNode array) {
        return (List<T>) Objects.requireNonNull(array.toJava());
    }

    private static ChatTemplate.Input input(JsonNode inputs) {
        ChatTemplate.Input.Builder input = ChatTemplate.Input.builder()
                .messages(list(inputs.path("messages")))
                .bosToken("<s>")
                .eosToken("</s>")
                .clock(CLOCK);
        inputs.properties().forEach(property -> {
            JsonNode value = property.getValue();
            switch (property.getKey()) {
                case "messages" -> {}
                case "add_generation_prompt" -> input.addGenerationPrompt(value.asBoolean());
                case "tools" -> {
                    if (!value.isNull()) {
                        input.tools(list(value));
                    }
                }
                case "documents" -> {
                    if (!value.isNull()) {
                        input.documents(list(value));
                    }
                }
                default -> input.variable(property.getKey(), value.toJava());
            }
        });
        return input.build();
    }
}
