package dev.pollux.inference.engine;

import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.inference.tokenizer.PromptTokenizer;
import dev.pollux.inference.tokenizer.TokenDecoder;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Converts prompts to token ids: raw text with the tokenizer, conversations with the chat template and then the tokenizer.
 *
 * <p>Streams decode with the same tokenizer, so it is freed after the generator and the last stream have released it.
 * <em>Thread-safe.</em>
 */
public final class PromptEncoder implements AutoCloseable {

    private final Tokenizer tokenizer;
    private final PromptTokenizer prompts;
    private final ChannelFormat channels;
    private final Optional<ChatRenderer> chat;
    private final DecoderManifest manifest;
    private final List<Integer> endTokens;
    private final AtomicInteger users = new AtomicInteger(1);

    private PromptEncoder(Tokenizer tokenizer, ModelTexts texts, DecoderManifest manifest) {
        String source = texts.chatTemplate().orElse("");
        this.tokenizer = tokenizer;
        this.endTokens = manifest.withEndTokens(texts.endTokens(manifest.endTokens(), tokenizer))
                .endTokens();
        this.channels = ChannelFormat.of(source, tokenizer);
        this.prompts = PromptTokenizer.of(
                tokenizer,
                source,
                channels.markers().stream().map(ChannelFormat.Marker::spelling).toList());
        this.chat = texts.chatTemplate().map(template -> new ChatRenderer(template, manifest));
        this.manifest = manifest;
    }

    /** The encoder for the folder of a decoder. */
    public static PromptEncoder open(DecoderGraph graph) {
        ModelTexts texts = ModelTexts.in(graph.texts());
        Tokenizer tokenizer = texts.tokenizer()
                .orElseThrow(
                        () -> new UnsupportedModelException(graph.manifest().name()
                                + " has no tokenizer, so it reads no text; add tokenizer.json to "
                                + (graph.isExport() ? "the checkpoint and export it again" : graph.texts())));
        try {
            return new PromptEncoder(tokenizer, texts, graph.manifest());
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /** The ids that end a turn; see {@link ModelTexts#endTokens}. */
    public List<Integer> endTokens() {
        return endTokens;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** The text of a token id; empty where the tokenizer has no such token. */
    String text(int token) {
        return tokenizer.decode(new int[] {token}, false);
    }

    /** The text of some token ids, without special tokens. */
    String text(int[] tokens) {
        return tokenizer.decode(tokens, true);
    }

    /** Whether the model supports conversations. The first call probes the chat template. */
    boolean chat() {
        return chat.map(ChatRenderer::works).orElse(false);
    }

    /** The token ids of a prompt, and a parser in the channel in which the model starts to write. */
    record Encoded(int[] tokens, ChannelParser channels) {}

    /**
     * The token ids of a prompt.
     *
     * @throws IllegalArgumentException if the prompt is a conversation and the model has no chat template, or the template does
     *     not show its tools or calls
     */
    public int[] tokens(Prompt prompt) {
        return encode(prompt).tokens();
    }

    Encoded encode(Prompt prompt) {
        BitSet literal = new BitSet();
        if (prompt instanceof Prompt.Text raw) {
            literal.set(0, raw.literal() ? raw.text().length() : 0);
            return new Encoded(prompts.encode(raw.text(), literal, true), channels.after(raw.text(), false));
        }
        ChatRenderer renderer = chat.orElseThrow(() -> new IllegalArgumentException(
                manifest.name() + " has no chat template; use Prompt.text, or a model made for conversations"));
        Prompt.Chat conversation = (Prompt.Chat) prompt;
        ChatTemplate.Rendering rendering = renderer.render(conversation.messages(), conversation.tools());
        rendering.inputs().forEach(span -> literal.set(span.begin(), span.end()));
        int[] tokens =
                prompts.encode(rendering.text(), literal, false); // the template writes the special tokens itself
        return new Encoded(tokens, channels.after(rendering.text().substring(literal.length()), true));
    }

    /** A decoder for one stream; close it with {@link #close()}. */
    TokenDecoder decoder() {
        if (users.getAndUpdate(n -> n == 0 ? 0 : n + 1) == 0) {
            throw new IllegalStateException("The generator " + manifest.name() + " is closed; open it again");
        }
        return tokenizer.streamDecoder(true);
    }

    /** Releases the tokenizer: once by the owner, and once for each decoder. */
    @Override
    public void close() {
        if (users.decrementAndGet() == 0) {
            prompts.close();
            tokenizer.close();
        }
    }
}
