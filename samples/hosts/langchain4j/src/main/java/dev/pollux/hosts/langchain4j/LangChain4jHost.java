package dev.pollux.hosts.langchain4j;

import dev.langchain4j.data.document.Document;
import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.EmbeddingStoreIngestor;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.langchain4j.ToLangChain4j;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.starter.DocumentTwin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An application of LangChain4j whose model, documents and vector store are those of Pollux. */
public final class LangChain4jHost implements AutoCloseable {

    /** What LangChain4j implements: it finds passages, puts them into the prompt, and asks the model. */
    interface Assistant {
        Result<String> answer(String question);
    }

    private final OnnxGenerator generator;
    private final OnnxEmbedder embedder;
    private final KnowledgeBase knowledge;

    private LangChain4jHost(OnnxGenerator generator, OnnxEmbedder embedder, KnowledgeBase knowledge) {
        this.generator = generator;
        this.embedder = embedder;
        this.knowledge = knowledge;
    }

    /** Opens the embedded model, and a knowledge base of one document. */
    public static LangChain4jHost open(Path folder) throws IOException {
        Path documents = Files.createDirectories(folder.resolve("documents"));
        Files.writeString(
                documents.resolve("boat.md"),
                "# The boat\n\nThe boat is called Heron. It lies in the harbour of Husum from April to October.\n");
        OnnxEmbedder embedder = OnnxEmbedder.bundled();
        KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("knowledge"), embedder);
        knowledge.ingest(DocumentSource.folder(documents)).run();
        Path model = EmbeddedModel.named(DocumentTwin.DEFAULT_MODEL).unpack().run();
        return new LangChain4jHost(OnnxGenerator.open(model), embedder, knowledge);
    }

    /** The answer of the model to a question, and the passages that it was given. */
    public Result<String> answer(String question) {
        return AiServices.builder(Assistant.class)
                .chatModel(ToLangChain4j.chatModel(
                        generator, GenerationOptions.builder().maxTokens(8).build()))
                .contentRetriever(ToLangChain4j.contentRetriever(knowledge.retriever(), 2))
                .build()
                .answer(question);
    }

    /** Segments that LangChain4j cuts and embeds, stored in the same knowledge base. */
    public EmbeddingStore<TextSegment> notes() {
        EmbeddingModel model = ToLangChain4j.embeddingModel(embedder);
        EmbeddingStore<TextSegment> store = ToLangChain4j.embeddingStore(knowledge, "notes");
        EmbeddingStoreIngestor.builder()
                .embeddingModel(model)
                .embeddingStore(store)
                .build()
                .ingest(List.of(
                        Document.from("The plum tree was planted in 1998.", Metadata.from("year", "1998")),
                        Document.from("The fence was painted in 2024.", Metadata.from("year", "2024"))));
        return store;
    }

    @Override
    public void close() {
        generator.close();
        knowledge.close();
        embedder.close();
    }
}
