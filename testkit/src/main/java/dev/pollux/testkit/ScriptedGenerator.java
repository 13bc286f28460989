package dev.pollux.testkit;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.ToolCall;
import dev.pollux.generation.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * A generator without a model that gives the deltas of a script: text of any channel and tool calls. It honours no option; {@link
 * #prompts()} and {@link #options()} tell what it was asked. It holds nothing that must be closed. <em>Thread-safe.</em>
 */
public final class ScriptedGenerator implements Generator {

    private final Function<Prompt, List<Delta>> script;
    private final List<Prompt> prompts = new CopyOnWriteArrayList<>();
    private final List<GenerationOptions> options = new CopyOnWriteArrayList<>();

    private ScriptedGenerator(Function<Prompt, List<Delta>> script) {
        this.script = script;
    }

    /** One that gives the deltas of {@code script} for each prompt. */
    public static ScriptedGenerator of(Function<Prompt, List<Delta>> script) {
        return new ScriptedGenerator(script);
    }

    /** What it was asked to continue so far, in order. */
    public List<Prompt> prompts() {
        return List.copyOf(prompts);
    }

    /** The options of what it was asked so far, in order. */
    public List<GenerationOptions> options() {
        return List.copyOf(options);
    }

    /** A piece of the answer. */
    public static Delta answer(String text) {
        return Delta.of(Channel.ANSWER, text);
    }

    /** A piece of the reasoning. */
    public static Delta thought(String text) {
        return Delta.of(Channel.REASONING, text);
    }

    /** A call of a tool. */
    public static Delta call(String id, String name, String arguments) {
        return new Delta.Call(new ToolCall(id, name, arguments));
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions given) {
        prompts.add(prompt);
        options.add(given);
        return new Stream(script.apply(prompt));
    }

    @Override
    public GeneratorInfo info() {
        return new GeneratorInfo("scripted", 4096, true);
    }

    @Override
    public int countTokens(Prompt prompt) {
        return 7;
    }

    @Override
    public void close() {
        // Nothing is open.
    }

    private static final class Stream implements GenerationStream {
        private final Iterator<Delta> script;
        private final List<Delta> given = new ArrayList<>();
        private volatile boolean cancelled;

        Stream(List<Delta> script) {
            this.script = script.iterator();
        }

        @Override
        public Iterator<String> iterator() {
            throw new UnsupportedOperationException("A script is read by deltas()");
        }

        @Override
        public Iterator<Delta> deltas() {
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return !cancelled && script.hasNext();
                }

                @Override
                public Delta next() {
                    given.add(script.next());
                    return given.get(given.size() - 1);
                }
            };
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public Generation result() {
            deltas().forEachRemaining(delta -> {});
            List<ToolCall> calls = given.stream()
                    .filter(Delta.Call.class::isInstance)
                    .map(delta -> ((Delta.Call) delta).call())
                    .toList();
            return new Generation(
                    joined(Channel.ANSWER),
                    joined(Channel.REASONING),
                    List.of(),
                    cancelled ? FinishReason.CANCELLED : FinishReason.END_OF_TEXT,
                    new Usage(7, 0, given.size(), 0, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO),
                    calls);
        }

        private String joined(Channel channel) {
            StringBuilder text = new StringBuilder();
            given.forEach(delta -> text.append(delta.text(channel)));
            return text.toString();
        }

        @Override
        public void close() {
            cancelled = true;
        }
    }
}
