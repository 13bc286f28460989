package dev.pollux.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.pollux.generation.GenerationStream;

/** A generator as a chat model. <em>Thread-safe.</em> */
record PolluxChatModel(ChatRequests requests) implements ChatModel {

    @Override
    public ChatResponse doChat(ChatRequest request) {
        try (GenerationStream stream = requests.stream(request)) {
            return requests.response(stream.result());
        }
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return requests.defaults();
    }
}
