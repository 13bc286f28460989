package dev.pollux.hosts.springai;

import dev.pollux.twin.Twin;
import java.util.List;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.document.Document;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.VectorStore;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;

/** A web application of Spring AI whose model, documents and vector store are those of Pollux. */
@SpringBootApplication
public class SpringAiHost {

    public static void main(String[] args) {
        SpringApplication.run(SpringAiHost.class, args);
    }

    /** Asks the beans that the starter made. */
    @RestController
    static class Questions {

        private final Twin twin;
        private final ChatClient chat;
        private final VectorStore notes;

        Questions(Twin twin, ChatModel model, VectorStore notes) {
            this.twin = twin;
            this.chat = ChatClient.create(model);
            this.notes = notes;
        }

        @GetMapping("/ask")
        String ask(@RequestParam("question") String question) {
            return twin.ask(question).text();
        }

        @GetMapping("/chat")
        String chat(@RequestParam("message") String message) {
            return chat.prompt(message).call().content();
        }

        @GetMapping(path = "/stream", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
        Flux<String> stream(@RequestParam("message") String message) {
            return chat.prompt(message).stream().content();
        }

        @PostMapping("/notes")
        void note(@RequestBody String text) {
            notes.add(List.of(new Document(text)));
        }

        @GetMapping("/notes")
        List<String> notes(@RequestParam("query") String query) {
            return notes
                    .similaritySearch(
                            SearchRequest.builder().query(query).topK(1).build())
                    .stream()
                    .map(Document::getText)
                    .toList();
        }
    }
}
