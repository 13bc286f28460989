package dev.pollux.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Retriever;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.FakeRetriever;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Conversation;
import dev.pollux.twin.Twin;
import dev.pollux.twin.TwinOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

@NoLeaks
class ConversationTest {

    private static final Document GUIDE = new Document(
            "guide.md",
            "text/markdown",
            "Two models are merged by SLERP.\n\nSLERP costs ten minutes.\n\nTomato soup wants salt.",
            Map.of());

    private final List<String> searched = new ArrayList<>();
    private final Retriever retriever = query -> {
        searched.add(query.text());
        return FakeRetriever.over(GUIDE).retrieve(query);
    };

    @Test
    void aFollowUpIsSearchedWithTheWordsBeforeIt() {
        Conversation conversation = Twin.builder().retriever(retriever).build().chat();
        conversation.ask("How are two models merged by SLERP?");
        Answer cost = conversation.ask("What does it cost?");
        conversation.ask("Why?");
        conversation.ask("Does tomato soup want salt?");
        assertThat(searched)
                .containsExactly(
                        "How are two models merged by SLERP?",
                        "What does it cost? two models merged SLERP",
                        "Why? cost two models merged SLERP",
                        "Does tomato soup want salt?");
        assertThat(cost.evidence().get(0).quote()).isEqualTo("SLERP costs ten minutes.");
    }

    @Test
    void theModelSeesTheTurnsBeforeWithoutMarks() {
        try (FakeGenerator model = FakeGenerator.saying("Two models are merged by SLERP [1].")) {
            Conversation conversation =
                    Twin.builder().retriever(retriever).generator(model).build().chat();
            assertThat(conversation.ask("How are two models merged?").text())
                    .isEqualTo("Two models are merged by SLERP [1].");
            conversation.ask("How are two models merged again?");
            List<Message> messages = ((Prompt.Chat) model.prompts().get(1)).messages();
            assertThat(messages).extracting(Message::role).containsExactly("system", "user", "assistant", "user");
            assertThat(messages.subList(1, 3))
                    .isEqualTo(conversation.history().subList(0, 2))
                    .containsExactly(
                            Message.user("How are two models merged?"),
                            Message.assistant("Two models are merged by SLERP."));
        }
    }

    @Test
    void oldTurnsGiveWayWhenTheRoomIsSmall() {
        try (FakeGenerator model = FakeGenerator.answering(256, prompt -> "Two models are merged by SLERP.")) {
            TwinOptions options = TwinOptions.builder()
                    .generation(GenerationOptions.builder().maxTokens(16).build())
                    .build();
            Conversation conversation = Twin.builder()
                    .retriever(retriever)
                    .generator(model)
                    .options(options)
                    .build()
                    .chat();
            for (int i = 0; i < 20; i++) {
                Answer answer = conversation.ask("How are two models merged in round " + i + "?");
                assertThat(answer.packing().promptTokens()).isBetween(1, 240);
                int turns = ((Prompt.Chat) model.prompts().get(i)).messages().size() / 2 - 1;
                assertThat(turns).isEqualTo(Math.min(i, 3));
            }
            assertThat(conversation.history()).hasSize(40);
            TwinOptions forgetful = options.toBuilder().historyShare(0).build();
            Conversation other = Twin.builder()
                    .retriever(retriever)
                    .generator(model)
                    .options(forgetful)
                    .build()
                    .chat();
            other.ask("How are two models merged?");
            other.ask("How are two models merged?");
            assertThat(((Prompt.Chat) model.prompts().get(21)).messages()).hasSize(2);
        }
    }

    @Test
    void onlySoManyTurnsAreKept() {
        Conversation conversation = Twin.builder().retriever(retriever).build().chat();
        for (int i = 0; i < Conversation.MOST_TURNS + 3; i++) {
            conversation.ask("How are two models merged in round " + i + "?");
        }
        assertThat(conversation.history()).hasSize(2 * Conversation.MOST_TURNS);
        assertThat(conversation.history().get(0)).isEqualTo(Message.user("How are two models merged in round 3?"));
    }

    @Test
    void aTurnIsRememberedOnceItsResultIsKnown() {
        Conversation conversation = Twin.builder().retriever(retriever).build().chat();
        try (AnswerStream stream = conversation.stream("How are two models merged?")) {
            stream.forEach(delta -> assertThat(delta).isNotEmpty());
            assertThat(conversation.history()).isEmpty();
            stream.result();
            stream.result();
            assertThat(conversation.history()).hasSize(2);
        }
        assertThatThrownBy(() -> conversation.ask(""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("question must not be blank; ask with at least one word");
        assertThat(conversation.history()).hasSize(2);
    }
}
