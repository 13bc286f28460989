package dev.pollux.testkit;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.OpenHandle;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A generator without a model: a function from prompt to answer, streamed a word at a time.
 *
 * <p>A token is a word with the white space before it; a message costs one more for its role, an end token comes after
 * the last word. Of the options {@code maxTokens} and {@code stop} are honoured; there is no chance, so the rest is
 * idle. {@link #prompts()} tells what it was asked. <em>Thread-safe.</em>
 */
public final class FakeGenerator implements Generator {

    /** The id of the end token. */
    public static final int END = 0;

    /** The parameters it says to have: enough to be asked to write. */
    public static final long PARAMETERS = 7_000_000_000L;

    private static final Pattern TOKEN = Pattern.compile("\\s*\\S+|\\s+");

    private final Function<Prompt, String> script;
    private final GeneratorInfo info;
    private final OpenHandle handle = OpenHandle.of("FakeGenerator");
    private final List<Prompt> prompts = new CopyOnWriteArrayList<>();
    private final Set<FakeStream> streams = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private FakeGenerator(GeneratorInfo info, Function<Prompt, String> script) {
        this.info = info;
        this.script = script;
    }

    /** One that always says {@code answer}, with a context of 4,096 tokens. */
    public static FakeGenerator saying(String answer) {
        return answering(prompt -> answer);
    }

    /** One that answers as {@code script} does, with a context of 4,096 tokens. */
    public static FakeGenerator answering(Function<Prompt, String> script) {
        return answering(4096, script);
    }

    /** One that answers as {@code script} does, with this context. */
    public static FakeGenerator answering(int contextLength, Function<Prompt, String> script) {
        return new FakeGenerator(info(contextLength, true), script);
    }

    /** One that understands no messages, with a context of 4,096 tokens. */
    public static FakeGenerator withoutChat(Function<Prompt, String> script) {
        return new FakeGenerator(info(4096, false), script);
    }

    private static GeneratorInfo info(int contextLength, boolean chat) {
        return new GeneratorInfo("fake", contextLength, chat, GenerationOptions.SAMPLED, OptionalLong.of(PARAMETERS));
    }

    /** What it was asked to continue so far, in order. */
    public List<Prompt> prompts() {
        return List.copyOf(prompts);
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        if (closed) {
            throw new IllegalStateException("The generator is closed; open another");
        }
        Interrupts.check();
        int promptTokens = countTokens(prompt);
        if (promptTokens >= info.contextLength()) {
            throw new IllegalArgumentException("The prompt has " + promptTokens + " tokens but the model reads "
                    + info.contextLength() + "; shorten it");
        }
        prompts.add(prompt);
        FakeStream stream = new FakeStream(
                tokens(script.apply(prompt)),
                options,
                promptTokens,
                info.contextLength() - promptTokens,
                streams::remove);
        streams.add(stream);
        return stream;
    }

    @Override
    public GeneratorInfo info() {
        return info;
    }

    @Override
    public int countTokens(Prompt prompt) {
        if (prompt instanceof Prompt.Chat chat) {
            return chat.messages().stream()
                    .map(Message::content)
                    .mapToInt(content -> 1 + tokens(content).size())
                    .sum();
        }
        return tokens(((Prompt.Text) prompt).text()).size();
    }

    @Override
    public void close() {
        closed = true;
        streams.forEach(GenerationStream::cancel);
        handle.close();
    }

    private static List<String> tokens(String text) {
        return TOKEN.matcher(text).results().map(MatchResult::group).toList();
    }
}
