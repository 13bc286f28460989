package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Conversation;
import dev.pollux.twin.TwinOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Talks, a line a turn. */
@Command(
        name = "chat",
        description = {
            "Talk with a model, or with a twin that answers from documents.",
            "",
            "Each line of standard input is a turn; /quit or the end of input ends the conversation. With --docs or"
                    + " --knowledge the answers come from documents, as with ask, and a question may lean on the one"
                    + " before it.",
            "",
            "--json: {turns: [{question, ...}]}, printed at the end; a turn holds what ask prints, or, without documents,"
                    + " what generate prints."
        },
        footer = {
            "  pollux chat",
            "  pollux chat --docs docs",
            "  printf 'What is a twin?\\nDoes it make things up?\\n' | pollux chat --docs docs --json"
        })
final class ChatCommand extends PolluxCommand {

    private static final String QUIT = "/quit";

    @Mixin
    private DocumentOptions documents = new DocumentOptions();

    @Mixin
    private TwinSettings settings = new TwinSettings();

    @Option(
            names = "--system",
            order = 16,
            paramLabel = "TEXT",
            description = "What the model is told before a conversation without documents.")
    private @Nullable String system;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    private final List<Map<String, Object>> turns = new ArrayList<>();

    /** One turn: what was said, answered and shown. */
    @FunctionalInterface
    private interface Turn {
        Map<String, Object> of(String question);
    }

    @Override
    int execute() {
        if (documents.isGiven() && system != null) {
            throw usage("--system is for a conversation without documents; use --persona");
        }
        if (documents.isGiven()) {
            withDocuments();
        } else {
            withModel();
        }
        if (json()) {
            output().json(Map.of("turns", turns));
        }
        return ExitCode.OK;
    }

    private void withDocuments() {
        TwinOptions options = settings.options(sampling, this);
        try (Embedder embedder = documents.openEmbedder(resources);
                KnowledgeBase knowledge = new Knowledge(this, documents, resources).openUpdated(embedder);
                OnnxGenerator generator = settings.writes() ? model.open(this, resources) : null) {
            Conversation conversation = settings.twin(
                            knowledge.retriever(), embedder, Optional.ofNullable(generator), options)
                    .chat();
            converse(question -> {
                try (AnswerStream stream = conversation.stream(question)) {
                    Answer answer = pollux().interruption().during(stream::cancel, () -> {
                        Answers.draft(stream, output(), false);
                        return stream.result();
                    });
                    if (!json()) {
                        Answers.print(answer, output());
                    }
                    return JsonShapes.answer(answer);
                }
            });
        }
    }

    private void withModel() {
        GenerationOptions options = sampling.over(GenerationOptions.DEFAULTS, this);
        List<Message> history = new ArrayList<>();
        if (system != null) {
            history.add(Message.system(system));
        }
        try (Generator generator = model.open(this, resources)) {
            converse(question -> {
                history.add(Message.user(question));
                try (GenerationStream stream = generator.stream(Prompt.chat(history), options)) {
                    Generation generation = pollux().interruption().during(stream::cancel, () -> written(stream));
                    history.add(Message.assistant(generation.text()));
                    return JsonShapes.generation(generation);
                }
            });
        }
    }

    private Generation written(GenerationStream stream) {
        for (String delta : stream) {
            if (!json()) {
                output().piece(delta);
            }
        }
        if (!json()) {
            output().line("");
        }
        return stream.result();
    }

    private void converse(Turn turn) {
        boolean person = pollux().terminal().interactive();
        try {
            BufferedReader in = pollux().terminal().reader();
            while (!pollux().interruption().isInterrupted()) {
                if (person) {
                    output().asidePiece("> ");
                }
                String line = in.readLine();
                if (line == null || line.strip().equals(QUIT)) {
                    return;
                }
                if (!line.isBlank()) {
                    Map<String, Object> said = new LinkedHashMap<>();
                    said.put("question", line.strip());
                    said.putAll(turn.of(line.strip()));
                    turns.add(said);
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read standard input: " + e, e);
        }
    }
}
