package dev.pollux.hosts;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Twin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small application as hosts write them: a knowledge base of two documents, a question, and some tokens. */
public final class Application {

    /** How the line begins that says that all went well. */
    public static final String ANSWER = "answer: ";

    private Application() {}

    /** Runs it in a temporary folder and prints what it answered. */
    public static void main(String[] args) throws IOException {
        System.out.println(ANSWER + answer(Files.createTempDirectory("pollux-host")));
    }

    /** The answer to a question that one of the documents answers, and a few tokens of the model. */
    public static String answer(Path folder) throws IOException {
        Path documents = Files.createDirectories(folder.resolve("documents"));
        Files.writeString(
                documents.resolve("boat.md"),
                "# The boat\n\nThe boat is called Heron. It lies in the harbour of Husum from April to October.\n");
        Files.writeString(
                documents.resolve("garden.md"),
                "# The garden\n\nThe plum tree was planted in 1998 by our neighbour.\n");
        Path model = EmbeddedModel.named("smollm2-135m-instruct").unpack().run();
        try (OnnxEmbedder embedder = OnnxEmbedder.bundled();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("knowledge"), embedder);
                OnnxGenerator generator = OnnxGenerator.open(model)) {
            knowledge.ingest(DocumentSource.folder(documents)).run();
            Twin twin = Twin.builder()
                    .retriever(knowledge.retriever())
                    .embedder(embedder)
                    .generator(generator)
                    .build();
            Answer answer = twin.ask("In which harbour does the boat lie?");
            String text = generator
                    .generate(
                            Prompt.chat(Message.user("Write one sentence about boats.")),
                            GenerationOptions.builder().maxTokens(5).build())
                    .text();
            if (text.isBlank()) {
                throw new IllegalStateException("The model has written nothing");
            }
            return answer.text().replace('\n', ' ');
        }
    }
}
