package dev.pollux.inference.engine;

import dev.pollux.generation.Message;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.inference.template.ConversationFit;
import dev.pollux.inference.template.TemplateException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Conversations as the text that a model reads, by its chat template, and fitted to what that can do.
 *
 * <p>The template is parsed and tried when the first conversation comes: what needs no template must not fail by it.
 * <em>Thread-safe.</em>
 */
final class ChatRenderer {

    private record Ready(ChatTemplate template, ConversationFit fit) {}

    private final String source;
    private final DecoderManifest manifest;
    private final ReentrantLock preparing = new ReentrantLock();
    private volatile Optional<Ready> ready = Optional.empty();

    /**
     * @param source the template's
     * @param manifest the model's name, and its tokens before and after a text, which templates write
     */
    ChatRenderer(String source, DecoderManifest manifest) {
        this.source = source;
        this.manifest = manifest;
    }

    /** @throws TemplateException if the template cannot be parsed, or refuses the conversation in every form */
    ChatTemplate.Rendering render(List<Message> conversation) {
        try {
            Ready chat = ready();
            List<Map<String, Object>> messages =
                    ChatTemplate.Input.of(conversation).messages();
            return chat.fit()
                    .render(
                            messages,
                            fitted -> chat.template()
                                    .renderWithSpans(variables(ChatTemplate.Input.builder()
                                                    .messages(fitted)
                                                    .addGenerationPrompt(true))
                                            .build()));
        } catch (TemplateException e) {
            throw e.of(manifest.name(), "use raw text (Prompt.text, --raw), which needs no template");
        }
    }

    private Ready ready() {
        if (ready.isEmpty()) {
            preparing.lock();
            try {
                if (ready.isEmpty()) {
                    ChatTemplate template = ChatTemplate.parse(source);
                    ready = Optional.of(new Ready(template, ConversationFit.of(template, this::variables)));
                }
            } finally {
                preparing.unlock();
            }
        }
        return ready.orElseThrow();
    }

    private ChatTemplate.Input.Builder variables(ChatTemplate.Input.Builder input) {
        return input.bosToken(manifest.bosToken()).eosToken(manifest.eosToken());
    }
}
