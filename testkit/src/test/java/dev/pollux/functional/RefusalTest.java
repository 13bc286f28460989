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

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Version 3.2 of the software was released on 5 May.|When was version 3.3 of the software"
                        + " released?|version 3.3",
                "Room 12 is painted green. Room 14 is painted blue.|What colour is room 13?|room 13",
                "* Chapter 2: The harbour¶* Chapter 4: The storm|What is chapter 3 about?|chapter 3"
            })
    void aNumberOfAnotherThingOfTheSameKindIsNotMentioned(String text, String question, String missing) {
        Answer answer = twin(text.replace('¶', '\n')).ask(question);
        assertThat(answer.kind()).isEqualTo(Answer.Kind.UNKNOWN);
        assertThat(answer.text()).startsWith("I do not know: the documents do not mention “" + missing + "”.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Version 3.2 of the software was released on 5 May.|When was version 3.2 of the software released?",
                "Rooms 10 to 14 are painted green.|What colour are rooms 12 and 13?",
                "Step 2 is repeated daily.¶¶1. Fill the tank.¶2. Press the lever.¶3. Empty the tank.|What is step 3 of the tank?",
                "A bonus of 300 euros is paid in May.|Is a bonus of 500 paid in May?",
                "Guests pay 300 euros for a room.|Do guests pay 500 euros for a room?",
                "The room is painted green.|Is room 13 painted green?"
            })
    void aNumberIsNoNameWhereItIsMentionedOrAnAmount(String text, String question) {
        assertThat(twin(text.replace('¶', '\n')).ask(question).kind()).isEqualTo(Answer.Kind.QUOTED);
    }

    @Test
    void aNumberBelongsToTheWordBeforeIt() {
        String table = """
            | Item | Price in euros |
            |---|---|
            | Item 42 | 177 |
            | Item 176 | 42 |
            | Item 177 | 95 |
            | Item 178 | 177 |
            """;
        assertThat(twin(table).ask("What is the price of Item 177?").evidence())
                .singleElement()
                .satisfies(evidence -> assertThat(evidence.quote()).isEqualTo("| Item 177 | 95 |"));
        assertThat(twin(table).ask("What is the price of item 179?").text())
                .startsWith("I do not know: the documents do not mention “item 179”.");
    }

    @Test
    void aNegationOfSomethingElseAnswersNoQuestionThatDenies() {
        assertThat(twin("Never oil the chain, it is no toy. Avoid bleach when the jersey is washed.")
                        .ask("What should not be used when the jersey is washed?")
                        .evidence()
                        .get(0)
                        .quote())
                .isEqualTo("Avoid bleach when the jersey is washed.");
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
