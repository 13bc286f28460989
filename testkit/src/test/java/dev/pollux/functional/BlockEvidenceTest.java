package dev.pollux.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.FakeRetriever;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Evidence;
import dev.pollux.twin.Twin;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Evidence that is a block of a document. */
class BlockEvidenceTest {

    private static final String STEPS =
            "# Boiler\n\nTo bleed the boiler:\n\n1. Close the *red* valve.\n2. Open the vent.\n3. Wait for water.\n\n"
                    + "The boiler is serviced in May.\n";

    @Test
    void aQuestionHowIsAnsweredWithAllSteps() {
        Evidence evidence = first(STEPS, "How do I bleed the boiler?");
        assertThat(evidence.text())
                .isEqualTo("To bleed the boiler:\n1. Close the red valve.\n2. Open the vent.\n3. Wait for water.");
        assertThat(evidence.quote())
                .isEqualTo("To bleed the boiler:\n\n1. Close the *red* valve.\n2. Open the vent.\n3. Wait for water.");
        assertThat(evidence.location()).isEqualTo(Location.lines(3, 7));
        assertThat(answer(STEPS, "How do I bleed the boiler?").text()).startsWith("To bleed the boiler:\n1. ");
    }

    @Test
    void anItemThatStandsOutIsShownUnderItsLeadIn() {
        String prices = "Prices per kilo:\n\n- wheat flour, 2 euros\n- rye grain, 3 euros\n- oat bran, 4 euros\n";
        Evidence evidence = first(prices, "What is the price of rye grain?");
        assertThat(evidence.text()).isEqualTo("Prices per kilo:\n- rye grain, 3 euros");
        assertThat(evidence.quote()).isEqualTo("rye grain, 3 euros");
    }

    @Test
    void itemsThatScoreAlikeAreShownTogether() {
        String stock = "The kitchen keeps in stock:\n\n- flour\n- salt\n";
        assertThat(first(stock, "What does the kitchen keep in stock?").text())
                .isEqualTo("The kitchen keeps in stock:\n- flour\n- salt");
    }

    @Test
    void stepsGoOnAfterCodeAndKeepWhatIsNested() {
        String text =
                "To deploy the site:\n\n1. Build it.\n\n```sh\nmake\n```\n\n2. Copy it:\n   - pages\n   - fonts\n";
        assertThat(first(text, "How do I deploy the site?").text())
                .isEqualTo("To deploy the site:\n1. Build it.\n```\nmake\n```\n2. Copy it:\n  - pages\n  - fonts");
    }

    @Test
    void aRowOfATableIsShownWithItsColumns() {
        String table = "# Parts\n\nId | Price \\| net | Place\n---|---:|---\nP-7 | **9.50** | shelf 1\nP-8 | 3.20 |\n";
        Evidence evidence = first(table, "What is the net price of P-7?");
        assertThat(evidence.text()).isEqualTo("Id: P-7; Price | net: 9.50; Place: shelf 1");
        assertThat(evidence.quote()).isEqualTo("P-7 | **9.50** | shelf 1");
        assertThat(first(table, "What is the net price of P-8?").text()).isEqualTo("Id: P-8; Price | net: 3.20");
    }

    @Test
    void theMatchOfAQuestionCountsForItsAnswer() {
        String faq = "Q: How long is the lease?\nA: Ten years.\n\nQ: Do you sublet?\nA: No.\n\n"
                + "**I lost the key. Who helps?**\n\nThe *porter* in hall two.\n\n## May pets move in?\n\nCats may.\n\n"
                + "1. Is heating included?\n   - In winter only.\n";
        assertThat(first(faq, "How long is the lease?").text()).isEqualTo("Ten years.");
        assertThat(first(faq, "Do you sublet?").text()).isEqualTo("Do you sublet? No.");
        assertThat(first(faq, "Do you sublet?").quote()).isEqualTo("No.");
        assertThat(first(faq, "Who helps when I lost the key?").text()).isEqualTo("The porter in hall two.");
        assertThat(first(faq, "May pets move in?").text()).isEqualTo("Cats may.");
        assertThat(first(faq, "Is heating included?").text()).isEqualTo("In winter only.");
        assertThat(answer(faq, "How long is the lease?").evidence()).hasSize(1);
    }

    @Test
    void aQuestionIsNoEvidenceOnItself() {
        assertThat(answer("Where is the archive kept?\n", "Where is the archive kept?")
                        .kind())
                .isEqualTo(Answer.Kind.UNKNOWN);
    }

    @Test
    void aCauseComesWithItsSentenceAndAPronounWithItsSubject() {
        String text = "The bridge is closed at night. This is because the lamps are broken. Trucks wait.\n\n"
                + "The pump has a filter. It needs cleaning weekly. IT knows the code.\n";
        assertThat(first(text, "Why is the bridge closed at night?").text())
                .isEqualTo("The bridge is closed at night. This is because the lamps are broken.");
        assertThat(first(text, "What needs cleaning weekly?").text())
                .isEqualTo("The pump has a filter. It needs cleaning weekly.");
    }

    @Test
    void codeIsEvidenceWhereItIsAskedFor() {
        String text = "Start the pump with:\n\n```sh\npump start --slow\n```\n\nThe pump start is slow.\n";
        assertThat(first(text, "How do I start the pump?").text())
                .isEqualTo("Start the pump with:\n```\npump start --slow\n```");
        String lone = "```\nvalve.open(slow)\n```\n\nOpen the valve slowly.\n";
        assertThat(answer(lone, "Who opens the valve?").evidence())
                .extracting(Evidence::quote)
                .containsExactly("Open the valve slowly.");
        assertThat(first(lone, "Which command opens the valve?").quote()).isEqualTo("valve.open(slow)");
    }

    @Test
    void aDefinitionComesWithItsTerm() {
        assertThat(first("Roost\n: The box of a drone.\n  It holds six.\n", "What is a roost?")
                        .text())
                .isEqualTo("Roost: The box of a drone. It holds six.");
    }

    @Test
    void frontMatterIsEvidenceAndItsDateIsShown() {
        String text = "---\ntitle: Ferry rules\ndate: 2024-05-06\nauthors: [Ann, Bob]\n---\nDogs are allowed.\n";
        Document document =
                new Document("a.md", "text/markdown", text, Map.of("title", "Ferry rules", "date", "2024-05-06"));
        assertThat(evidence(document, "Who are the authors of the ferry rules?")
                        .get(0)
                        .text())
                .isEqualTo("authors: Ann, Bob");
        Evidence dogs = evidence(document, "Are dogs allowed?").get(0);
        assertThat(dogs.text()).isEqualTo("Dogs are allowed.");
        assertThat(dogs.heading()).isEqualTo("Ferry rules");
        assertThat(dogs.date()).isEqualTo("2024-05-06");
        assertThat(((Location.Lines) dogs.location()).first()).isEqualTo(6);
    }

    @Test
    void whatNoReaderSeesIsNotQuoted() {
        String text = "The tour costs <!-- 99? ask --> 45 euros. <!-- The tour costs 40. -->\n";
        Evidence evidence = first(text, "What does the tour cost?");
        assertThat(evidence.quote()).isEqualTo("The tour costs  45 euros.");
        assertThat(evidence.text()).isEqualTo("The tour costs 45 euros.");
    }

    @Test
    void aPassageThatBeginsInsideABlockIsReadWithItsLead() {
        Passage row = passage("| P-7 | 9.50 |", "| Id | Price |\n|---|---|\n");
        assertThat(evidence(row, "What is the price of P-7?").get(0).text()).isEqualTo("Id: P-7; Price: 9.50");
        Passage step = passage("3. Wait for water.\n4. Close it.", "To bleed the boiler:\n\n");
        Evidence steps = evidence(step, "How do I bleed the boiler?").get(0);
        assertThat(steps.text()).isEqualTo("3. Wait for water.\n4. Close it.");
        assertThat(((Location.Lines) steps.location()).first()).isEqualTo(40);
    }

    @Test
    void plainTextIsReadAsParagraphs() {
        Document plain = new Document("a.txt", "text/plain", "# 5 pumps\n* one_two_three is *loud*", Map.of());
        assertThat(evidence(plain, "Which pump is loud?").get(0).quote())
                .isEqualTo("# 5 pumps\n* one_two_three is *loud*");
    }

    private static Passage passage(String text, String lead) {
        return new Passage(
                "p",
                "",
                "a.md",
                "a.md",
                List.of(),
                List.of(),
                text,
                900,
                900 + text.length(),
                Location.lines(40, 41),
                lead,
                "text/markdown",
                Map.of());
    }

    private static Evidence first(String markdown, String question) {
        return answer(markdown, question).evidence().get(0);
    }

    private static Answer answer(String markdown, String question) {
        return answer(FakeRetriever.whole(new Document("a.md", "text/markdown", markdown, Map.of())), question);
    }

    private static List<Evidence> evidence(Document document, String question) {
        return answer(FakeRetriever.whole(document), question).evidence();
    }

    private static List<Evidence> evidence(Passage passage, String question) {
        return answer(passage, question).evidence();
    }

    private static Answer answer(Passage passage, String question) {
        return Twin.builder()
                .retriever(query -> List.of(new Hit(passage, 1)))
                .build()
                .ask(question);
    }
}
