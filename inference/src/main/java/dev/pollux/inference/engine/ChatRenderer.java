package dev.pollux.inference.engine;

import dev.pollux.generation.Message;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.inference.template.ConversationFit;
import dev.pollux.inference.template.TemplateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;

/**
 * Renders conversations with the chat template of a model, after fitting them to the features of the template.
 *
 * <p>The template is parsed and probed at the first conversation, so that a damaged template does not affect calls that need
 * none. <em>Thread-safe.</em>
 */
final class ChatRenderer {

    private record Ready(ChatTemplate template, ConversationFit fit) {}

    private final String source;
    private final DecoderManifest manifest;
    private final ReentrantLock preparing = new ReentrantLock();
    private volatile Optional<Ready> ready = Optional.empty();
    private volatile Optional<Boolean> works = Optional.empty();

    /**
     * @param source the source of the template
     * @param manifest supplies the name of the model and its BOS and EOS tokens, which templates write
     */
    ChatRenderer(String source, DecoderManifest manifest) {
        this.source = source;
        this.manifest = manifest;
    }

    /** Whether there is a template that parses and renders the simplest conversation; tested once. */
    boolean works() {
        Optional<Boolean> known = works;
        if (known.isEmpty()) {
            known = Optional.of(takesTheSimplest());
            works = known;
        }
        return known.get();
    }

    private boolean takesTheSimplest() {
        try {
            render(List.of(Message.user("Hello")));
            return true;
        } catch (TemplateException e) {
            return false;
        }
    }

    /** Renders a conversation without tools. */
    ChatTemplate.Rendering render(List<Message> conversation) {
        return render(conversation, List.of());
    }

    /**
     * @param tools the tools that the assistant may call
     * @throws TemplateException if the template cannot be parsed, or rejects the conversation in every form
     * @throws IllegalArgumentException if the template does not show the tools, or the calls in the conversation
     */
    ChatTemplate.Rendering render(List<Message> conversation, List<Tool> tools) {
        try {
            Ready chat = ready();
            List<Map<String, Object>> messages =
                    ChatTemplate.Input.of(conversation).messages();
            ChatTemplate.Rendering rendering =
                    chat.fit().render(messages, fitted -> rendered(chat.template(), fitted, tools));
            checkShown(rendering.text(), conversation, tools);
            return rendering;
        } catch (TemplateException e) {
            throw e.of(manifest.name(), "use raw text (Prompt.text, --raw), which needs no template");
        }
    }

    /** Templates without support for tools ignore them silently, so the output is checked. */
    private void checkShown(String text, List<Message> conversation, List<Tool> tools) {
        boolean all = tools.stream().map(Tool::name).allMatch(text::contains)
                && (tools.isEmpty() || source.contains("tools"));
        if (!all) {
            throw new IllegalArgumentException("The chat template of " + manifest.name()
                    + " does not show tools; ask without tools, or use a model that was made to call them");
        }
        List<ToolCall> calls = conversation.stream()
                .filter(message -> message.role().equals("assistant"))
                .flatMap(message -> message.calls().stream())
                .toList();
        if (!calls.isEmpty()
                && !(source.contains("tool_calls")
                        && calls.stream().map(ToolCall::name).allMatch(text::contains))) {
            throw new IllegalArgumentException("The chat template of " + manifest.name()
                    + " does not show tool calls; leave them out, or use a model that was made to call tools");
        }
    }

    private Ready ready() {
        if (ready.isEmpty()) {
            preparing.lock();
            try {
                if (ready.isEmpty()) {
                    ChatTemplate template = ChatTemplate.parse(source);
                    ready = Optional.of(new Ready(
                            template,
                            ConversationFit.of(
                                    template,
                                    (probed, messages) -> rendered(probed, messages, List.of())
                                            .text())));
                }
            } finally {
                preparing.unlock();
            }
        }
        return ready.orElseThrow();
    }

    /**
     * Templates expect undefined values for absent tools and documents. Some iterate over them without a test; if a template
     * fails, it is rendered again with empty lists for the variables that it names.
     */
    private ChatTemplate.Rendering rendered(
            ChatTemplate template, List<Map<String, Object>> messages, List<Tool> tools) {
        List<TemplateException> failures = new ArrayList<>();
        for (UnaryOperator<ChatTemplate.Input.Builder> lists : lists(template.source(), tools)) {
            try {
                return template.renderWithSpans(lists.apply(ChatTemplate.Input.builder()
                                .messages(messages)
                                .addGenerationPrompt(true)
                                .bosToken(manifest.bosToken())
                                .eosToken(manifest.eosToken()))
                        .build());
            } catch (TemplateException e) {
                failures.add(e);
            }
        }
        throw failures.get(0);
    }

    private static List<UnaryOperator<ChatTemplate.Input.Builder>> lists(String source, List<Tool> offered) {
        UnaryOperator<ChatTemplate.Input.Builder> none = input -> offered.isEmpty() ? input : input.tools(offered);
        boolean tools = source.contains("tools") && offered.isEmpty();
        boolean documents = source.contains("documents");
        List<UnaryOperator<ChatTemplate.Input.Builder>> lists = new ArrayList<>(List.of(none));
        if (documents) {
            lists.add(input -> none.apply(input).documents(List.of()));
        }
        if (tools) {
            lists.add(input -> input.tools(List.of()));
        }
        if (tools && documents) {
            lists.add(input -> input.tools(List.of()).documents(List.of()));
        }
        return lists;
    }
}
