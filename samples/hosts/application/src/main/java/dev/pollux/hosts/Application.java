package dev.pollux.hosts;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.starter.DocumentTwin;
import dev.pollux.starter.DocumentTwinOptions;
import dev.pollux.starter.Pollux;
import dev.pollux.twin.Answer;
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
        DocumentTwinOptions options = DocumentTwinOptions.builder()
                .documents(documents)
                .knowledge(folder.resolve("knowledge"))
                .build();
        Path model = EmbeddedModel.named(DocumentTwin.DEFAULT_MODEL).unpack().run();
        try (DocumentTwin twin = Pollux.twin(options);
                OnnxGenerator generator = OnnxGenerator.open(model)) {
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
