package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.inference.encoder.OnnxReranker;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.search.ContextExpansion;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.MetadataValue;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.retrieval.Trace;
import dev.pollux.starter.DocumentTwin;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Finds passages. */
@Command(
        name = "search",
        description = {
            "Find the passages of the documents that bear on a question or on words.",
            "",
            "Each hit shows its score (higher is better, comparable within one list only), document, lines, headings"
                    + " and the beginning of its text. No language model is opened. The exit code is 3 where nothing is"
                    + " found.",
            "",
            "--json: {query, retriever, hits: [{number, score, source, document, path, copies, heading, firstLine,"
                    + " lastLine, metadata, text}], trace: [{stage, in, out, millis}], notices, skippedFiles: [{file, reason}], missingSources: [{source, path}]};"
                    + " copies are paths of documents with the same content."
        },
        footer = {
            "  pollux search --docs docs \"memory budget of a merge\"",
            "  pollux search --docs docs --retriever lexical --top-k 3 --json MatMulNBits",
            "  pollux search --knowledge kb --filter 'department = \"hr\" and year >= 2024' --explain parental leave"
        })
final class SearchCommand extends PolluxCommand {

    private static final int SNIPPET = 200;

    /** The kinds of search. */
    enum Kind {
        HYBRID,
        LEXICAL,
        DENSE
    }

    @Parameters(arity = "1..*", paramLabel = "QUERY", description = "A question or words.")
    private List<String> words = List.of();

    @Mixin
    private DocumentOptions documents = new DocumentOptions();

    @Option(
            names = "--retriever",
            order = 10,
            paramLabel = "KIND",
            defaultValue = "hybrid",
            description = "lexical (BM25 over words), dense (similarity of vectors) or hybrid (both, by reciprocal rank"
                    + " fusion). Default: ${DEFAULT-VALUE}.")
    private Kind retriever = Kind.HYBRID;

    @Option(
            names = "--top-k",
            order = 11,
            paramLabel = "N",
            defaultValue = "10",
            description = "Most hits to show. Default: ${DEFAULT-VALUE}.")
    private int topK = Query.DEFAULT_TOP_K;

    @Option(
            names = "--filter",
            order = 12,
            paramLabel = "FILTER",
            description =
                    "Find only passages of documents whose metadata satisfy this, such as 'department = \"hr\" and year"
                            + " >= 2024 and not archived'.")
    private @Nullable String filter;

    @Option(
            names = "--explain",
            order = 13,
            description =
                    "Show on standard error what each stage of the search was given and passed on, and how long it took.")
    private boolean explain;

    @Mixin
    private RerankingOptions reranking = new RerankingOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        Trace trace = Trace.recording();
        Query given = query().withTrace(trace);
        reranking.folder(); // checked first
        try (Embedder embedder = documents.openEmbedder(resources);
                KnowledgeBase knowledge = new Knowledge(this, documents, resources).openUpdated(embedder)) {
            Query query = filter == null ? given : given.withFilter(knowledge.filter(filter));
            List<Hit> hits = hits(knowledge, query);
            List<String> notices = notices(knowledge, query);
            notices.forEach(output()::note);
            SourceNotes notes = new SourceNotes(knowledge);
            if (json()) {
                Map<String, Object> json = shape(query, hits);
                json.put(
                        "trace",
                        trace.stages().stream().map(SearchCommand::shape).toList());
                json.put("notices", notices);
                notes.add(json);
                output().json(json);
            } else {
                print(hits);
            }
            notes.print(output(), !hits.isEmpty());
            if (explain) {
                trace.stages().forEach(stage -> output().aside(line(stage)));
            }
            return hits.isEmpty() ? ExitCode.UNKNOWN : ExitCode.OK;
        }
    }

    private static String line(Trace.Stage stage) {
        return String.format(
                Locale.ROOT, "%-12s %,9d -> %,6d  %8.2f ms", stage.stage(), stage.in(), stage.out(), stage.millis());
    }

    private static Map<String, Object> shape(Trace.Stage stage) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("stage", stage.stage());
        json.put("in", stage.in());
        json.put("out", stage.out());
        json.put("millis", stage.millis());
        return json;
    }

    /** The notice that the embedder does not read the query's language; none for a lexical search, which does not use it. */
    private List<String> notices(KnowledgeBase knowledge, Query query) {
        String consequence = retriever == Kind.DENSE
                ? "the similarity of vectors says little about it"
                : "passages were searched by their words alone";
        return retriever == Kind.LEXICAL
                ? List.of()
                : knowledge
                        .unreadLanguage(query)
                        .map(code -> "the query is in "
                                + Locale.forLanguageTag(code).getDisplayLanguage(Locale.ENGLISH)
                                + ", which the embedder " + knowledge.stats().embedder() + " does not read; "
                                + consequence)
                        .stream()
                        .toList();
    }

    private Query query() {
        try {
            return Query.of(Question.of(words), topK);
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
    }

    private List<Hit> hits(KnowledgeBase knowledge, Query query) {
        Optional<OnnxReranker> reranker = reranking.open(resources);
        try {
            Retriever found = reranker.map(model -> chosen(knowledge).reranked(model, DocumentTwin.RERANKED))
                    .orElseGet(() -> chosen(knowledge));
            return ContextExpansion.parents(found, knowledge).retrieve(query);
        } finally {
            reranker.ifPresent(OnnxReranker::close);
        }
    }

    private Retriever chosen(KnowledgeBase knowledge) {
        return switch (retriever) {
            case HYBRID -> knowledge.retriever();
            case LEXICAL -> knowledge.lexicalRetriever();
            case DENSE -> knowledge.denseRetriever();
        };
    }

    private void print(List<Hit> hits) {
        if (hits.isEmpty()) {
            output().line("Nothing found.");
        }
        int number = 0;
        for (Hit hit : hits) {
            Passage passage = hit.passage();
            output().line(String.format(
                    Locale.ROOT,
                    "%2d. %.4f  %s",
                    ++number,
                    hit.score(),
                    Texts.place(passage.origin(), passage.location(), passage.heading())));
            if (!passage.origin().copies().isEmpty()) {
                output().line(Texts.copies(passage.origin()));
            }
            output().line("    " + Texts.snippet(passage.text(), SNIPPET));
        }
    }

    /** Metadata as numbers, truth values, lists and texts; a date is a text. */
    private static Map<String, Object> metadata(Passage passage) {
        Map<String, Object> typed = new LinkedHashMap<>();
        passage.metadata().forEach((name, text) -> {
            Object value = MetadataValue.of(text);
            typed.put(name, value instanceof LocalDate ? text : value);
        });
        return typed;
    }

    private Map<String, Object> shape(Query query, List<Hit> hits) {
        List<Map<String, Object>> found = new ArrayList<>();
        for (Hit hit : hits) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("number", found.size() + 1);
            json.put("score", hit.score());
            JsonShapes.origin(json, hit.passage().origin());
            json.put("heading", hit.passage().heading());
            JsonShapes.location(json, hit.passage().location());
            json.put("metadata", metadata(hit.passage()));
            json.put("text", hit.passage().text());
            found.add(json);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("query", query.text());
        json.put("retriever", JsonShapes.name(retriever));
        json.put("hits", found);
        return json;
    }
}
