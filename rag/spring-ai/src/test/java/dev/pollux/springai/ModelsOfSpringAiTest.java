package dev.pollux.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Retriever;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.RetrieverContract;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.vectorstore.SimpleVectorStore;
import org.springframework.ai.vectorstore.filter.FilterExpressionTextParser;
import org.springframework.ai.vectorstore.filter.converter.PrintFilterExpressionConverter;

@NoLeaks
class ModelsOfSpringAiTest {

    private static final double ROUNDING = 1e-6;

    private final FakeEmbedder embedder = FakeEmbedder.open();

    @AfterEach
    void close() {
        embedder.close();
    }

    @Test
    void anEmbeddingModelHasVectorsUsageAndDimensions() {
        EmbeddingModel model = ToSpringAi.embeddingModel(embedder);

        EmbeddingResponse response = model.embedForResponse(List.of("The boat.", "A tree."));

        assertThat(response.getResults()).hasSize(2);
        assertThat(response.getResults().get(1).getOutput())
                .isEqualTo(embedder.embed(List.of("A tree."), TextRole.PASSAGE)[0]);
        assertThat(response.getMetadata().getModel()).isEqualTo("fake 256");
        assertThat(response.getMetadata().getUsage().getPromptTokens()).isEqualTo(8);
        assertThat(model.dimensions()).isEqualTo(256);
        assertThat(model.embed(new Document("A tree.")))
                .isEqualTo(model.embed(List.of("A tree.")).get(0));
    }

    @Test
    void aQuestionIsEmbeddedAsQueryAndDocumentsAsPassages() {
        Roles roles = new Roles();
        EmbeddingModel model = ToSpringAi.embeddingModel(roles);

        model.embed("question");
        model.embed(List.of("text"));
        model.embed(new Document("document"));

        assertThat(roles.seen).containsExactly(TextRole.QUERY, TextRole.PASSAGE, TextRole.PASSAGE);
    }

    @Test
    void otherModelsAndDimensionsAreRefused() {
        EmbeddingModel model = ToSpringAi.embeddingModel(embedder);

        assertThatThrownBy(() -> model.call(new EmbeddingRequest(
                        List.of("x"), EmbeddingOptions.builder().dimensions(3).build())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("dimensions must be 256, those of fake 256, but was 3");
        assertThatThrownBy(() -> model.call(new EmbeddingRequest(
                        List.of("x"), EmbeddingOptions.builder().model("other").build())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The model must be fake 256 but was other; open an embedder for each model");
    }

    @Test
    void anEmbedderThereAndBackHasTheSameVectors() {
        try (Embedder back = FromSpringAi.embedder(ToSpringAi.embeddingModel(embedder), embedder.info());
                Embedder wrong = FromSpringAi.embedder(
                        ToSpringAi.embeddingModel(embedder), new EmbedderInfo("wrong", "w", 3, 100))) {
            for (TextRole role : TextRole.values()) {
                assertThat(back.embed(List.of("The boat."), role)[0])
                        .containsExactly(embedder.embed(List.of("The boat."), role)[0], within((float) ROUNDING));
            }
            assertThatThrownBy(() -> wrong.embed(List.of("x"), TextRole.QUERY))
                    .isInstanceOf(ModelExecutionException.class)
                    .hasMessage("Embedding model wrong made a vector of length 256 but its info says 3; correct the"
                            + " dimension");
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "year >= 2024 and not archived = true | year >= 2024 AND NOT (archived == true)",
                "team in (\"a\", \"b\") or exists x | team IN [\"a\", \"b\"] OR x IS NOT NULL",
                "a = \"1\" and (b = 2 or c = 3.5) | a == \"1\" AND (b == 2 OR c == 3.5)",
                "day = 2024-05-06 | day >= \"2024-05-06\" AND day < \"2024-05-07\"",
                "day > 2024-05-06 | day >= \"2024-05-07\"",
                "day <= 2024-12-31 | day < \"2025-01-01\""
            })
    void filtersOfPolluxAreTranslated(String ours, String theirs) {
        PrintFilterExpressionConverter printer = new PrintFilterExpressionConverter();

        assertThat(printer.convertExpression(ToSpringAi.filter(Filter.parse(ours))))
                .isEqualTo(printer.convertExpression(new FilterExpressionTextParser().parse(theirs)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"year >= 2024 and (a = \"x\" or not b = true)", "exists a", "a in (1, 2)"})
    void thereAndBackIsTheSame(String filter) {
        assertThat(FromSpringAi.filter(ToSpringAi.filter(Filter.parse(filter)))).isEqualTo(Filter.parse(filter));
    }

    @ParameterizedTest
    @ValueSource(strings = {"all", "tags contains \"x\""})
    void whatSpringAiDoesNotHaveIsRefused(String filter) {
        assertThatThrownBy(() -> ToSpringAi.filter(Filter.parse(filter)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Spring AI has no filter for " + filter
                        + "; use comparisons, in, exists, and, or and not, or leave the filter out");
    }

    @Nested
    class RetrieverOfAVectorStore implements RetrieverContract {
        private SimpleVectorStore store;

        @BeforeEach
        void fill() {
            store = SimpleVectorStore.builder(ToSpringAi.embeddingModel(embedder))
                    .build();
            store.add(List.of(
                    new Document("a", "The boat lies in the harbour of Husum.", Map.of("n", "1", "url", "http://a")),
                    new Document("b", "The boat was built in the harbour of Wyk.", Map.of("n", "2")),
                    new Document("c", "No boat is older than the harbour.", Map.of("n", "3"))));
        }

        @Override
        public Retriever retriever() {
            return FromSpringAi.retriever(store, "store");
        }

        @Override
        public String question() {
            return "boat harbour";
        }

        /** The contract compares every field of a hit, also {@code distance}, which a store adds to what it finds. */
        @Override
        @Test
        public void aFilterHoldsForEveryHitOrIsRefused() {
            Filter filter = Filter.in("n", "1", "3").and(Filter.equal("n", "2").negated());
            assertThat(retriever()
                            .retrieve(dev.pollux.retrieval.Query.of(question()).withFilter(filter)))
                    .extracting(hit -> hit.passage().metadata().get("n"))
                    .containsExactlyInAnyOrder("1", "3");
        }
    }

    /** Notes the roles of what it embeds. */
    private static final class Roles implements Embedder {
        final List<TextRole> seen = new java.util.ArrayList<>();

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            seen.add(role);
            return new float[][] {{1, 0}};
        }

        @Override
        public EmbedderInfo info() {
            return new EmbedderInfo("roles", "r", 2, 100);
        }

        @Override
        public int countTokens(String text) {
            return 1;
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }
}
