package dev.pollux.rag.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Message;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.ChunkStrategy;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.retrieval.Trace;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NoLeaks
class SearchPipelineTest {

    private static final Clock TODAY = Clock.fixed(Instant.parse("2026-01-01T00:00:00Z"), ZoneOffset.UTC);

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(64, 64);
    private final List<AutoCloseable> opened = new ArrayList<>();
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
        opened.add(knowledge);
        knowledge
                .ingest(DocumentSource.of(
                        "s",
                        List.of(
                                document("boats", "Boats are rowed by heroes.", Map.of("year", "2020")),
                                document("ships", "Vessels sail with the wind.", Map.of("year", "2024")),
                                document("horses", "Castor tamed horses.", Map.of("year", "2025", "tenant", "b")))))
                .run();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    @Test
    void smallChunksAreSearchedAndTheirParentsAreShown() {
        KnowledgeOptions options = KnowledgeOptions.builder()
                .chunking(ChunkOptions.builder()
                        .strategy(ChunkStrategy.PARENT_CHILD)
                        .targetTokens(16)
                        .parentTokens(80)
                        .build())
                .build();
        String text = "# Guide\n\n## Boats\n\n"
                + "Boats are rowed by heroes. ".repeat(6).strip() + "\n\nOne oar is painted red.\n\n## Horses\n\n"
                + "Castor tamed horses. ".repeat(6).strip();
        try (KnowledgeBase small = KnowledgeBase.open(folder.resolve("small"), embedder, options)) {
            small.ingest(DocumentSource.of("s", List.of(new Document("d.md", "text/markdown", text, Map.of()))))
                    .run();
            Trace trace = Trace.recording();
            List<Hit> plain = small.retriever().retrieve(Query.of("red oar", 2));
            List<Hit> hits = SearchPipeline.over(small)
                    .parents()
                    .build()
                    .retrieve(Query.of("red oar", 2).withTrace(trace));

            assertThat(plain.get(0).passage().text()).endsWith("red.").doesNotContain("## Boats");
            Passage first = hits.get(0).passage();
            assertThat(first.text())
                    .contains("## Boats")
                    .endsWith("One oar is painted red.")
                    .doesNotContain("## Horses")
                    .isEqualToIgnoringWhitespace(text.substring(first.start(), first.end()));
            assertThat(first.headings()).containsExactly("Guide", "Boats");
            assertThat(hits.get(0).score()).isEqualTo(plain.get(0).score());
            assertThat(hits).hasSize(2).extracting(hit -> hit.passage().start()).doesNotHaveDuplicates();
            assertThat(trace.stages()).extracting(Trace.Stage::stage).last().isEqualTo("parents");
        }
    }

    @Test
    void withoutParentsTheHitsStayAsTheyAre() {
        Query query = Query.of("boats");
        assertThat(ContextExpansion.parents(knowledge.retriever(), knowledge).retrieve(query))
                .isEqualTo(knowledge.retriever().retrieve(query));
    }

    @Test
    void otherWordingsFindWhatTheQuestionDoesNot() {
        FakeGenerator model = generator("1. vessels with wind\n- \"rowed heroes\"\nsail?");
        Retriever plain = knowledge.lexicalRetriever();
        assertThat(documents(plain, "ferries")).isEmpty();
        assertThat(documents(QueryExpansion.multiQuery(plain, model, 2), "ferries"))
                .containsExactlyInAnyOrder("ships", "boats");
    }

    @Test
    void aModelThatSaysNothingChangesNothing() {
        FakeGenerator model = generator("");
        List<Hit> expected = knowledge.retriever().retrieve(Query.of("horses"));
        assertThat(QueryExpansion.hypotheticalDocument(knowledge.denseRetriever(), knowledge.retriever(), model)
                        .retrieve(Query.of("horses")))
                .isEqualTo(expected);
        assertThat(QueryExpansion.rewritten(knowledge.retriever(), model, () -> List.of(Message.user("boats?")))
                        .retrieve(Query.of("horses")))
                .isEqualTo(expected);
        assertThat(QueryExpansion.rewritten(knowledge.retriever(), model, List::of)
                        .retrieve(Query.of("horses")))
                .isEqualTo(expected);
    }

    @Test
    void aHypotheticalDocumentIsSearchedByMeaning() {
        FakeGenerator model = generator("Vessels sail with the wind, mostly.");
        List<Hit> hits = QueryExpansion.hypotheticalDocument(knowledge.denseRetriever(), query -> List.of(), model)
                .retrieve(Query.of("zzz", 1));
        assertThat(hits.get(0).passage().document()).isEqualTo("ships");
    }

    @Test
    void aQuestionIsRewrittenFromItsConversation() {
        FakeGenerator model = generator("Who tamed horses?");
        Retriever retriever = QueryExpansion.rewritten(
                knowledge.lexicalRetriever(),
                model,
                () -> List.of(Message.user("Tell me of horses."), Message.assistant("They are animals.")));
        assertThat(documents(retriever, "and who made them tame?")).containsExactly("horses");
        assertThat(model.prompts().get(0).toString()).contains("last question: and who made them tame?");
    }

    @Test
    void aFilterOfAModelIsCheckedAndNeverWidens() {
        Filter tenant = Filter.exists("tenant").negated();
        for (String written :
                List.of("year >= 2024", "`year >= 2024", "colour = 1", "tenant = \"b\"", "year =", "all")) {
            Retriever retriever = SearchPipeline.over(knowledge)
                    .filter(tenant)
                    .selfQuery(generator(written))
                    .build();
            List<String> found = documents(retriever, "boats vessels horses");
            assertThat(found).as(written).doesNotContain("horses");
            assertThat(found)
                    .as(written)
                    .containsExactlyInAnyOrderElementsOf(
                            written.equals("year >= 2024") ? List.of("ships") : List.of("boats", "ships"));
        }
    }

    @Test
    void scoresDecayWithAgeAndAreBoosted() {
        Retriever equal = query -> knowledge.denseRetriever().retrieve(query).stream()
                .map(hit -> new Hit(hit.passage(), 1))
                .toList();
        Retriever recent = Boosts.recent(dated(equal), "date", Duration.ofDays(365), TODAY);
        List<Hit> hits = recent.retrieve(Query.of("boats", 3));
        assertThat(hits).extracting(hit -> hit.passage().document()).containsExactly("horses", "ships", "boats");
        assertThat(hits.get(0).score()).isEqualTo(0.5);
        assertThat(documents(Boosts.matching(equal, Filter.equal("year", 2020), 2), "x")
                        .get(0))
                .isEqualTo("boats");
        assertThatThrownBy(() -> Boosts.matching(equal, Filter.all(), 0))
                .hasMessage("factor must be positive and finite but was 0.0");
    }

    @Test
    void diverseHitsAreNotCopiesOfEachOther() {
        knowledge
                .ingest(DocumentSource.of(
                        "t",
                        List.of(
                                document("leave1", "Parental leave is long here.", Map.of()),
                                document("leave2", "Parental leave is very long here.", Map.of()),
                                document("leave3", "Sick leave needs a note.", Map.of()))))
                .run();
        Query query = Query.of("parental leave", 2);
        assertThat(knowledge.denseRetriever().retrieve(query))
                .extracting(hit -> hit.passage().document())
                .containsExactlyInAnyOrder("leave1", "leave2");
        for (var vectors : List.<java.util.function.Function<List<Passage>, float[][]>>of(
                knowledge::vectors, Diversity.embedding(embedder))) {
            assertThat(Diversity.mmr(knowledge.denseRetriever(), vectors, 0.5, 20)
                            .retrieve(query))
                    .extracting(hit -> hit.passage().document())
                    .contains("leave3")
                    .containsAnyOf("leave1", "leave2");
            assertThat(Diversity.mmr(knowledge.denseRetriever(), vectors, 1, 20).retrieve(query))
                    .isEqualTo(knowledge.denseRetriever().retrieve(query));
        }
    }

    @Test
    void lateInteractionFindsTheSentence() {
        LateInteraction reranker = LateInteraction.of(embedder);
        float[] scores = reranker.score(
                "castor tamed horses",
                List.of(
                        "Many things are here. Castor tamed horses. More things follow after it.",
                        "Boats. Ships.",
                        ""));
        assertThat(scores[0]).isGreaterThan(scores[1]);
        assertThat(scores[2]).isEqualTo(-1);
    }

    @Test
    void aModelOrdersTheListAndWhatItForgetsFollows() {
        assertThat(ListwiseReranker.of(generator("[3] > 1 > 99 > 3")).score("q", List.of("a", "b", "c", "d")))
                .containsExactly(0.75f, 0.5f, 1f, 0.25f);
        assertThat(ListwiseReranker.of(generator("I cannot.")).score("q", List.of("a", "b")))
                .containsExactly(1f, 0.5f);
        assertThat(ListwiseReranker.of(generator("1")).score("q", List.of())).isEmpty();
    }

    @Test
    void aHitGrowsToItsSection() {
        StringBuilder text = new StringBuilder("# One\n\n");
        for (int i = 0; i < 12; i++) {
            text.append("Sentence number")
                    .append(i)
                    .append(" of the first section says something of its own here.\n\n");
        }
        text.append("# Two\n\nThe other section.\n");
        knowledge
                .ingest(DocumentSource.of("t", List.of(document("long", text.toString(), Map.of()))))
                .run();
        Query query = Query.of("number5", 1);
        Passage small = knowledge.lexicalRetriever().retrieve(query).get(0).passage();
        Passage large = ContextExpansion.sections(knowledge.lexicalRetriever(), knowledge, 500)
                .retrieve(query)
                .get(0)
                .passage();
        assertThat(large.text()).contains("number5").contains(small.text());
        assertThat(large.text().length()).isGreaterThan(small.text().length()).isLessThanOrEqualTo(500);
        assertThat(large.end() - large.start()).isEqualTo(large.text().length());
        assertThat(text.substring(large.start(), large.end()).replaceAll("\\s+", " "))
                .isEqualTo(large.text().replaceAll("\\s+", " "));
        assertThat(ContextExpansion.sections(knowledge.lexicalRetriever(), knowledge, 1_000_000)
                        .retrieve(query)
                        .get(0)
                        .passage()
                        .text())
                .contains("number0")
                .contains("number11")
                .doesNotContain("other section");
    }

    @Test
    void stagesHaveAFixedOrderAndATrace() {
        Trace trace = Trace.recording();
        SearchPipeline.over(knowledge)
                .expand(100)
                .diversify(0.5, 10)
                .rerank(LateInteraction.of(embedder), 10)
                .boost(Filter.equal("year", 2020), 1.5)
                .multiQuery(generator("vessels"), 1)
                .selfQuery(generator("all"))
                .rewriting(generator("boats"), () -> List.of(Message.user("hello")))
                .build()
                .retrieve(Query.of("and boats?", 2).withTrace(trace));
        assertThat(trace.stages().stream()
                        .map(Trace.Stage::stage)
                        .filter(stage -> !List.of("embed", "filter", "dense scan", "lexical", "fusion", "read")
                                .contains(stage)))
                .containsExactly("rewrite", "self-query", "multi-query", "boost", "rerank", "diversify", "expand");
    }

    @Test
    void aFilterOfTheQueryHoldsInEveryStage() {
        Retriever retriever = SearchPipeline.over(knowledge)
                .hypotheticalDocument(generator("horses boats vessels"))
                .recent("year", Duration.ofDays(30), TODAY)
                .rerank(ListwiseReranker.of(generator("2 > 1")), 10)
                .diversify(0.3, 10)
                .expand(1_000)
                .build();
        assertThat(retriever.retrieve(Query.of("horses", 10).withFilter(Filter.lessThan("year", 2025))))
                .hasSize(2)
                .noneMatch(hit -> hit.passage().document().equals("horses"));
    }

    private static Retriever dated(Retriever retriever) {
        return query -> retriever.retrieve(query).stream()
                .map(hit -> {
                    Passage p = hit.passage();
                    String year = p.metadata().get("year");
                    return new Hit(
                            new Passage(
                                    p.id(),
                                    p.document(),
                                    p.headings(),
                                    p.text(),
                                    p.start(),
                                    p.end(),
                                    p.location(),
                                    Map.of("date", year + "-01-01")),
                            hit.score());
                })
                .toList();
    }

    private FakeGenerator generator(String answer) {
        FakeGenerator made = FakeGenerator.saying(answer);
        opened.add(made);
        return made;
    }

    private static List<String> documents(Retriever retriever, String query) {
        return retriever.retrieve(Query.of(query)).stream()
                .map(hit -> hit.passage().document())
                .toList();
    }

    private static Document document(String id, String text, Map<String, String> metadata) {
        return new Document(id, "text/markdown", text, metadata);
    }
}
