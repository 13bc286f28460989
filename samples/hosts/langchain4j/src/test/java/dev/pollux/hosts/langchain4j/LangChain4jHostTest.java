package dev.pollux.hosts.langchain4j;

import static dev.langchain4j.store.embedding.filter.MetadataFilterBuilder.metadataKey;
import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.service.Result;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.langchain4j.ToLangChain4j;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LangChain4jHostTest {

    @TempDir
    Path temp;

    @Test
    void anAssistantAnswersFromTheDocuments() throws Exception {
        try (LangChain4jHost host = LangChain4jHost.open(temp)) {
            Result<String> answer = host.answer("In which harbour does the boat lie?");

            assertThat(answer.content()).isNotBlank();
            assertThat(answer.tokenUsage().outputTokenCount()).isBetween(1, 8);
            assertThat(answer.sources())
                    .first()
                    .satisfies(source -> assertThat(source.textSegment().text()).contains("Husum"));
        }
    }

    @Test
    void aStoreOfLangChain4jIsAPartOfTheKnowledgeBase() throws Exception {
        try (LangChain4jHost host = LangChain4jHost.open(temp);
                OnnxEmbedder embedder = OnnxEmbedder.bundled()) {
            EmbeddingStore<TextSegment> notes = host.notes();

            assertThat(notes.search(EmbeddingSearchRequest.builder()
                                    .queryEmbedding(ToLangChain4j.embeddingModel(embedder)
                                            .embed("garden")
                                            .content())
                                    .filter(metadataKey("year").isGreaterThan(2000))
                                    .build())
                            .matches())
                    .extracting(match -> match.embedded().text())
                    .containsExactly("The fence was painted in 2024.");
        }
    }
}
