package dev.pollux.samples.cli;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.generation.Delta;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.starter.DocumentTwin;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Conversation;
import dev.pollux.twin.TwinOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A conversation, one line per turn. */
@Command(
        name = "chat",
        description = {
            "Talk with a model, or with a twin that answers from documents.",
            "",
            "Each line of standard input is a turn; /quit or the end of input ends the conversation, /reset begins it"
                    + " anew. Ctrl-C ends the turn, and where none runs, or a second time, the program. With --docs or"
                    + " --knowledge the answers come from documents, as with ask, and a question may lean on the one"
                    + " before it; /sources shows the evidence of the last answer, /dropped what was left out of it and"
                    + " why. Without documents the oldest turns are forgotten when the model's context is full.",
            "",
            "--json: {turns: [{question, ...}]}, and from documents skippedFiles and missingSources, printed at the"
                    + " end; a turn holds what ask prints, or, without documents, what generate prints."
        },
        footer = {
            "  pollux chat",
            "  pollux chat --docs docs",
            "  printf 'What is a twin?\\nDoes it make things up?\\n' | pollux chat --docs docs --json"
        })
final class ChatCommand extends PolluxCommand {

    private static final String QUIT = "/quit";
    private static final String RESET = "/reset";
    private static final List<String> WISHES = List.of(QUIT, RESET);
    private static final List<String> DOCUMENT_WISHES = List.of(QUIT, RESET, "/sources", "/dropped");

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

    @Option(
            names = "--reasoning",
            order = 17,
            description = "Show on standard error what a model that thinks writes before its answer, in a conversation"
                    + " without documents.")
    private boolean reasoning;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    private final List<Map<String, Object>> turns = new ArrayList<>();
    private final Map<String, Object> whole = new LinkedHashMap<>();

    /** The partner of a conversation. */
    private interface Turns {

        /** Answers, shows the answer, and returns it as JSON. */
        Map<String, Object> said(String question);

        /** Executes a line that begins with /; returns false if it is unknown. */
        boolean wished(String wish);

        /** Restarts the conversation. */
        void reset();
    }

    @Override
    int execute() {
        if (documents.isGiven() && system != null) {
            throw usage("--system is for a conversation without documents; use --persona");
        }
        if (documents.isGiven() && reasoning) {
            throw usage("--reasoning is for a conversation without documents");
        }
        whole.put("turns", turns);
        if (documents.isGiven()) {
            withDocuments();
        } else {
            withModel();
        }
        if (json()) {
            output().json(whole);
        }
        return ExitCode.OK;
    }

    private void withDocuments() {
        TwinOptions options = settings.options(sampling, this);
        TwinSession session = new TwinSession(documents, settings, model, resources);
        try (DocumentTwin twin = session.open(this, options)) {
            converse(new TwinTurns(twin));
            new SourceNotes(twin.knowledge()).add(whole);
        }
    }

    private void withModel() {
        sampling.check(this);
        try (Generator generator = model.open(this, resources)) {
            ModelOptions.requireChat(generator, "use 'pollux generate --raw', or a model made for conversations");
            converse(new ModelTurns(generator, sampling.over(generator.info().sampling(), this)));
        }
    }

    /** A conversation with a twin. */
    private final class TwinTurns implements Turns {

        private final DocumentTwin twin;
        private Conversation conversation;
        private Optional<Answer> last = Optional.empty();

        TwinTurns(DocumentTwin twin) {
            this.twin = twin;
            this.conversation = twin.chat();
            new SourceNotes(twin.knowledge()).print(output(), true);
        }

        @Override
        public Map<String, Object> said(String question) {
            Interruption interruption = pollux().interruption();
            Thread reader = Thread.currentThread();
            try (AnswerStream stream = interruption.during(reader::interrupt, () -> conversation.stream(question))) {
                Answer answer = pollux().interruption().during(stream::cancel, () -> {
                    Answers.read(stream, output(), !json(), false);
                    return stream.result();
                });
                last = Optional.of(answer);
                answer.notices().forEach(output()::note);
                if (!json()) {
                    Answers.printReferences(answer, output());
                }
                if (answer.kind() == Answer.Kind.UNKNOWN) {
                    new SourceNotes(twin.knowledge()).skipped(output(), false);
                }
                return JsonShapes.answer(answer);
            }
        }

        @Override
        public boolean wished(String wish) {
            if (!wish.equals("/sources") && !wish.equals("/dropped")) {
                return false;
            }
            if (json()) {
                output().note(wish + " has no effect with --json, which prints all of an answer");
            } else if (last.isEmpty()) {
                output().note("there is no answer yet");
            } else if (wish.equals("/sources")) {
                Answers.sources(last.get(), output());
            } else {
                Answers.dropped(last.get(), output());
            }
            return true;
        }

        @Override
        public void reset() {
            conversation = twin.chat();
            last = Optional.empty();
        }
    }

    /** A conversation with a model alone. */
    private final class ModelTurns implements Turns {

        private final Generator generator;
        private final GenerationOptions options;
        private final List<Message> history = new ArrayList<>();

        ModelTurns(Generator generator, GenerationOptions options) {
            this.generator = generator;
            this.options = options;
        }

        @Override
        public Map<String, Object> said(String question) {
            history.add(Message.user(question));
            try (GenerationStream stream = generator.stream(fitting(), options)) {
                Generation generation = pollux().interruption().during(stream::cancel, () -> written(stream));
                history.add(Message.assistant(generation.text(), generation.reasoning()));
                return JsonShapes.generation(generation);
            }
        }

        @Override
        public boolean wished(String wish) {
            return false;
        }

        @Override
        public void reset() {
            history.clear();
        }

        /**
         * The conversation, without its oldest turns if the whole leaves no room for an answer. A quarter of the room is made free at once,
         * because every turn that is forgotten changes the beginning of the prompt, which is then read again.
         */
        private Prompt fitting() {
            int context = generator.info().contextLength();
            int room = context - Math.min(options.maxTokens(), context / 2);
            if (generator.countTokens(prompt()) > room) {
                while (history.size() > 2 && generator.countTokens(prompt()) > room * 3 / 4) {
                    history.subList(0, 2).clear();
                }
            }
            return prompt();
        }

        private Prompt prompt() {
            List<Message> messages = new ArrayList<>(history);
            if (system != null) {
                messages.add(0, Message.system(system));
            }
            return Prompt.chat(messages);
        }
    }

    private Generation written(GenerationStream stream) {
        for (Iterator<Delta> deltas = stream.deltas(); deltas.hasNext(); ) {
            Delta delta = deltas.next();
            if (!json()) {
                output().piece(delta, reasoning);
            }
        }
        if (!json()) {
            output().endOfPieces();
            output().line("");
        }
        return stream.result();
    }

    @SuppressWarnings("try") // the key is open for what it does, not to be read
    private void converse(Turns conversation) {
        boolean person = pollux().terminal().interactive();
        BufferedReader in = pollux().terminal().reader();
        Interruption interruption = pollux().interruption();
        try (InterruptKey key = InterruptKey.ending(interruption::endTurn)) {
            while (!interruption.isInterrupted()) {
                if (person) {
                    output().asidePiece("> ");
                }
                Optional<String> line = line(in);
                if (line.isEmpty() || line.get().equals(QUIT)) {
                    return;
                }
                if (!line.get().isEmpty()) {
                    interruption.beginTurn();
                    turn(conversation, line.get());
                }
            }
        }
    }

    private void turn(Turns conversation, String line) {
        if (line.equals(RESET)) {
            conversation.reset();
        } else if (!line.startsWith("/")) {
            said(conversation, line);
        } else if (!conversation.wished(line)) {
            String close = Closest.question(line, documents.isGiven() ? DOCUMENT_WISHES : WISHES);
            output().note("there is no " + line + " here"
                    + (close.isEmpty() ? "; 'pollux chat --help' says what there is" : close));
        }
    }

    private void said(Turns conversation, String line) {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("question", line);
        try {
            said.putAll(conversation.said(line));
            turns.add(said);
        } catch (CancelledException e) {
            if (pollux().interruption().isInterrupted()) {
                throw e;
            }
            output().note("the turn was ended before an answer began");
        } finally {
            Thread.interrupted(); // the interrupt was for the turn
        }
        if (!json()) {
            output().line("");
        }
    }

    private static Optional<String> line(BufferedReader in) {
        try {
            return Optional.ofNullable(in.readLine()).map(String::strip);
        } catch (IOException e) {
            throw new StorageException("Cannot read standard input: " + Plainly.told(e), e);
        }
    }
}
