package dev.pollux.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.GenerationStream;
import java.util.Iterator;
import java.util.concurrent.Executor;

/** A generator as a streaming chat model. <em>Thread-safe.</em> */
record PolluxStreamingChatModel(ChatRequests requests, Executor executor) implements StreamingChatModel {

    private static final System.Logger LOGGER = System.getLogger(PolluxStreamingChatModel.class.getName());

    /** Ends a stream for a handler. <em>Thread-safe.</em> */
    private static final class Handle implements StreamingHandle {
        private final GenerationStream stream;
        private volatile boolean cancelled;

        Handle(GenerationStream stream) {
            this.stream = stream;
        }

        @Override
        public void cancel() {
            cancelled = true;
            stream.cancel();
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        executor.execute(() -> {
            try {
                generate(request, handler);
            } catch (RuntimeException e) {
                report(e, handler);
            }
        });
    }

    private void generate(ChatRequest request, StreamingChatResponseHandler handler) {
        try (GenerationStream stream = requests.stream(request)) {
            Handle handle = new Handle(stream);
            int calls = 0;
            for (Iterator<Delta> deltas = stream.deltas(); deltas.hasNext(); ) {
                Delta delta = deltas.next();
                if (delta instanceof Delta.Call call) {
                    handler.onCompleteToolCall(new CompleteToolCall(calls++, Tools.request(call.call())));
                }
                String thinking = delta.text(Channel.REASONING);
                if (!thinking.isEmpty()) {
                    handler.onPartialThinking(new PartialThinking(thinking), new PartialThinkingContext(handle));
                }
                String answer = delta.text(Channel.ANSWER);
                if (!answer.isEmpty()) {
                    handler.onPartialResponse(new PartialResponse(answer), new PartialResponseContext(handle));
                }
            }
            handler.onCompleteResponse(requests.response(stream.result()));
        }
    }

    private static void report(RuntimeException e, StreamingChatResponseHandler handler) {
        try {
            handler.onError(e);
        } catch (RuntimeException ignored) {
            LOGGER.log(System.Logger.Level.WARNING, "The handler of a generation failed on its error", ignored);
        }
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return requests.defaults();
    }
}
