package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.generation.Delta;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.Usage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Continues a prompt. */
@Command(
        name = "generate",
        description = {
            "Let a language model answer or continue a prompt.",
            "",
            "The prompt is what a user says to the model, put in the form of the model's chat template; with --raw it"
                    + " is text that the model goes on with. The text appears as it is written. Ctrl-C ends it; what was"
                    + " written stays.",
            "",
            "--json: {text, reasoning, finish, usage}; reasoning is what a model that thinks wrote before its answer;"
                    + " finish is end_of_text, stop_string, max_tokens, context_full or cancelled; usage is {promptTokens,"
                    + " cachedTokens, completionTokens, draftedTokens, acceptedTokens, loadMillis, prefillMillis, decodeMillis}."
        },
        footer = {
            "  pollux generate \"Write a haiku about twins.\"",
            "  pollux generate --model model.gguf --temperature 0.7 --top-p 0.9 --seed 1 \"Tell a story.\"",
            "  pollux generate --raw --max-tokens 20 \"The capital of France is\"",
            "  pollux generate --system \"Answer in French.\" - < question.txt"
        })
final class GenerateCommand extends PolluxCommand {

    /** A prompt longer than this fits no context. */
    private static final int MAX_PROMPT_BYTES = 64 << 20;

    /** Raw text serves to compare models, adapters and weights: what is drawn differs only where they do. */
    private static final long RAW_SEED = 0;

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description = "The prompt; - or nothing reads it from standard input.")
    private @Nullable String prompt;

    @Option(names = "--file", order = 10, paramLabel = "FILE", description = "Read the prompt from this file (UTF-8).")
    private @Nullable Path file;

    @Option(
            names = "--system",
            order = 11,
            paramLabel = "TEXT",
            description = "What the model is told before the prompt. Default: as its chat template has it.")
    private @Nullable String system;

    @Option(names = "--raw", order = 12, description = "Give the prompt to the model as it is.")
    private boolean raw;

    @Option(
            names = "--reasoning",
            order = 13,
            description = "Show on standard error what a model that thinks writes before its answer.")
    private boolean reasoning;

    @Option(names = "--stats", order = 14, description = "Show token counts and times on standard error.")
    private boolean stats;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        if (raw && system != null) {
            throw usage("--system and --raw exclude each other: a raw prompt has no roles");
        }
        if (prompt != null && file != null) {
            throw usage("give the prompt either as an argument or with --file");
        }
        sampling.check(this);
        String text = text();
        try (Generator generator = model.open(this, resources)) {
            GenerationOptions published = generator.info().sampling();
            GenerationOptions options =
                    sampling.over(raw ? published.toBuilder().seed(RAW_SEED).build() : published, this);
            return generate(generator, asked(generator, text), options);
        }
    }

    private int generate(Generator generator, Prompt asked, GenerationOptions options) {
        try (GenerationStream stream = generator.stream(asked, options)) {
            Generation generation = pollux().interruption().during(stream::cancel, () -> shown(stream));
            if (json()) {
                output().json(JsonShapes.generation(generation));
            } else {
                output().endOfPieces();
                if (!generation.text().endsWith("\n")) {
                    output().line("");
                }
            }
            if (stats) {
                output().aside(described(generation.usage()) + ", " + JsonShapes.name(generation.finish()));
            }
            return ExitCode.OK;
        }
    }

    private Generation shown(GenerationStream stream) {
        int pieces = 0;
        for (Iterator<Delta> deltas = stream.deltas(); deltas.hasNext(); ) {
            Delta delta = deltas.next();
            if (json()) {
                output().status("writing: " + ++pieces + " pieces");
            } else {
                output().piece(delta, reasoning);
            }
        }
        return stream.result();
    }

    static String described(Usage usage) {
        double seconds = usage.decode().toNanos() / 1e9;
        // The first token comes with the prefill, so the time after it is that of the others.
        String rate = seconds > 0 && usage.completionTokens() > 1
                ? String.format(Locale.ROOT, " (%.1f a second)", (usage.completionTokens() - 1) / seconds)
                : "";
        String drafts = usage.draftedTokens() > 0
                ? ", " + usage.acceptedTokens() + " of " + usage.draftedTokens() + " drafted accepted"
                : "";
        String stored = usage.cachedTokens() > 0 ? " (" + usage.cachedTokens() + " of an earlier request)" : "";
        return usage.promptTokens() + " prompt tokens" + stored + ", " + usage.completionTokens() + " written" + rate
                + drafts
                + "; load "
                + Texts.seconds(usage.load()) + ", prefill " + Texts.seconds(usage.prefill()) + ", decode "
                + Texts.seconds(usage.decode());
    }

    private Prompt asked(Generator generator, String text) {
        if (raw) {
            return Prompt.text(text);
        }
        ModelOptions.requireChat(
                generator, "give it text to go on with by --raw, or use a model made for conversations");
        List<Message> messages = new ArrayList<>();
        if (system != null) {
            messages.add(Message.system(system));
        }
        messages.add(Message.user(text));
        return Prompt.chat(messages);
    }

    private String text() {
        String given = prompt;
        if (given != null && !given.equals("-")) {
            return given;
        }
        Path from = file;
        if (from != null) {
            GivenPath.file("--file", from, this);
        }
        if (from == null && given == null && pollux().terminal().interactive()) {
            throw usage("give a prompt as an argument, with --file, or on standard input");
        }
        try (InputStream in = from == null ? pollux().terminal().in() : Files.newInputStream(from)) {
            byte[] bytes = in.readNBytes(MAX_PROMPT_BYTES + 1);
            if (bytes.length > MAX_PROMPT_BYTES) {
                throw new IllegalArgumentException("The prompt must be at most " + MAX_PROMPT_BYTES + " bytes");
            }
            String read = new String(bytes, StandardCharsets.UTF_8);
            return raw ? read : read.strip();
        } catch (IOException e) {
            throw new StorageException(
                    "Cannot read the prompt from " + (from == null ? "standard input" : from) + ": " + Plainly.told(e),
                    e);
        }
    }
}
