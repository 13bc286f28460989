package dev.pollux.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Conversation;
import dev.pollux.twin.Twin;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a twin does with questions that its documents do not answer, and with what is no question. */
class RefusalTest {

    private static Twin twin(String text) {
        Passage passage = new Passage(
                "1", "policy.md", List.of("Policy"), text, 0, text.length(), Location.lines(1, 1), Map.of());
        return Twin.builder().retriever(query -> List.of(new Hit(passage, 1))).build();
    }

    @Test
    void aNameThatTheDocumentsDoNotMentionIsNamed() {
        Answer answer =
                twin("The travel allowance for Oslo is 70 euros.").ask("What is the travel allowance for Lisbon?");
        assertThat(answer.kind()).isEqualTo(Answer.Kind.UNKNOWN);
        assertThat(answer.text())
                .isEqualTo("I do not know: the documents do not mention “Lisbon”."
                        + "\nNearest: “The travel allowance for Oslo is 70 euros.” [1]");
        assertThat(answer.evidence()).isEmpty();
        assertThat(answer.citations()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "The Wi-Fi password is on the wall.|Where is the WiFi password?",
                "The KnowledgeBase is a folder.|What is the Knowledge Base?",
                "The European Central Bank sets the rate.|Who sets the rate of the ECB?",
                "Malmö has an office.|Which office is in Malmo?",
                "An invoice above 5,000 euros is signed by the management.|Who signs an invoice of 6,000 euros?",
                "The Argo was rowed by fifty heroes.|Who rowed the Argo's oars?"
            })
    void aNameIsKnownInOtherSpellings(String text, String question) {
        assertThat(twin(text).ask(question).kind()).isEqualTo(Answer.Kind.QUOTED);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Fire damage is covered. Flood damage is not covered.|Which damage is not covered?|Flood damage is not"
                        + " covered.",
                "Flood damage is not covered. Fire damage is covered.|Which damage is covered?|Fire damage is covered.",
                "Fire damage is covered. Flood damage isn’t covered.|Which damage isn't covered?|Flood damage isn’t"
                        + " covered."
            })
    void aNegationIsAnsweredWithOne(String text, String question, String first) {
        assertThat(twin(text).ask(question).evidence().get(0).quote()).isEqualTo(first);
    }

    @Test
    void aQuestionThatDeniesDoesNotShowTheOpposite() {
        assertThat(twin("Fire damage is covered. Flood damage is not covered.")
                        .ask("Which damage is not covered?")
                        .text())
                .doesNotContain("Fire");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Thanks!",
                "thank you very much",
                "ok",
                "Hello",
                "Good morning!",
                "danke",
                "Merci beaucoup",
                "gracias",
                "How are you?",
                "Vielen Dank",
                "спасибо",
                "Thanks, that is great."
            })
    void smallTalkIsNoQuestion(String said) {
        Conversation conversation = twin("The lift is inspected in March.").chat();
        conversation.ask("When is the lift inspected?");
        Answer answer = conversation.ask(said);
        assertThat(answer.kind()).isEqualTo(Answer.Kind.UNKNOWN);
        assertThat(answer.text()).isEqualTo("You are welcome. Ask me anything about the documents.");
        assertThat(answer.evidence()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Thanks, and the lift?", "lift", "and who inspects it?", "Ok, when is the lift inspected?"})
    void questionsAreNoSmallTalk(String said) {
        Conversation conversation = twin("The lift is inspected in March.").chat();
        conversation.ask("When is the lift inspected?");
        assertThat(conversation.ask(said).kind()).isEqualTo(Answer.Kind.QUOTED);
    }
}
