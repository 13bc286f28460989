package dev.pollux.samples.cli;

import dev.pollux.starter.DocumentTwin;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.TwinOptions;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Answers a question from documents. */
@Command(
        name = "ask",
        description = {
            "Answer a question from a folder of documents, with numbered citations.",
            "",
            "The best sentences of the documents are the answer, quoted. A model that can write (see --style) writes"
                    + " one instead, of which only the sentences stay that the documents support. If the documents hold"
                    + " nothing on the question, the command says so, and the exit code is 3.",
            "",
            "--json: {kind, text, citations, evidence, dropped, notices, groundedness, stop, usage, skippedFiles,"
                    + " missingSources}; kind is written, quoted or unknown; citations and evidence are {number, source,"
                    + " document, path, copies, heading, firstLine, lastLine, quote}, where copies are paths of documents"
                    + " with the same content; dropped is {text, reason}; skippedFiles is {file, reason}; missingSources"
                    + " is {source, path}; usage is {promptTokens, cachedTokens, completionTokens, draftedTokens,"
                    + " acceptedTokens, loadMillis, prefillMillis, decodeMillis}."
        },
        footer = {
            "  pollux ask --docs docs \"How do I merge two models?\"",
            "  pollux ask --docs docs --style quote --evidence 5 --json \"What survives a kill?\"",
            "  pollux ask --knowledge ~/notes.kb --model model.gguf \"When is the rent due?\""
        })
final class AskCommand extends PolluxCommand {

    @Parameters(arity = "1..*", paramLabel = "QUESTION", description = "The question.")
    private List<String> words = List.of();

    @Mixin
    private DocumentOptions documents = new DocumentOptions();

    @Mixin
    private TwinSettings settings = new TwinSettings();

    @Option(
            names = "--stream",
            order = 14,
            description =
                    "Show on standard error what the model writes while it writes, before it is checked; the answer"
                            + " follows when it is whole. Without it, each sentence is printed when it has passed the"
                            + " check.")
    private boolean stream;

    @Option(
            names = "--stats",
            order = 15,
            description =
                    "Show on standard error why the model wrote or did not, what similarity means with the embedder"
                            + " and these documents, below which score the answer is that they do not say it, token counts"
                            + " and times.")
    private boolean stats;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        String question = Question.of(words);
        if (question.isBlank()) {
            throw usage("the question must not be blank; ask with at least one word");
        }
        TwinOptions options = settings.options(sampling, this);
        TwinSession session = new TwinSession(documents, settings, model, resources);
        try (DocumentTwin twin = session.open(this, options)) {
            Answer answer = answer(twin, question);
            SourceNotes notes = new SourceNotes(twin.knowledge());
            answer.notices().forEach(output()::note);
            if (json()) {
                Map<String, Object> json = JsonShapes.answer(answer);
                notes.add(json);
                output().json(json);
            } else if (stream) {
                Answers.print(answer, output());
            } else {
                Answers.printReferences(answer, output());
            }
            notes.print(output(), answer.kind() != Answer.Kind.UNKNOWN);
            if (stats) {
                output().aside(Answers.writing(twin.writing(), answer));
                output().aside(Answers.threshold(twin.knowledge().scale(), options.minScore(), answer));
                output().aside(GenerateCommand.described(answer.usage()));
            }
            return answer.kind() == Answer.Kind.UNKNOWN ? ExitCode.UNKNOWN : ExitCode.OK;
        }
    }

    private Answer answer(DocumentTwin twin, String question) {
        try (AnswerStream answering = twin.stream(question)) {
            return pollux().interruption().during(answering::cancel, () -> {
                Answers.read(answering, output(), !json() && !stream, stream);
                return answering.result();
            });
        }
    }
}
