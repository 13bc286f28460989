package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Written sentences with what becomes of them. */
class WrittenSentencesTest {

    /** {@code P} a passage with its heading in braces, {@code Q} the question, {@code +} kept, {@code -} dropped, {@code R} anew. */
    private static final String SENTENCES = """
            P The north gate closes at eight. The reading room opens at eleven. Mrs Brandt has room 118. Mr Osei has room 119.
            P The long route takes 6 hours and the short route takes 40 minutes. The ticket for Turin is 38 euros. The ticket for Bergen is 64 euros.
            Q When does the north gate close?
            + The north gate closes at eight [1].
            - The north gate closes at eleven [1].
            + It closes at eight [1].
            - It opens at eleven [1].
            - Opens at eleven [1].
            + Closes at eight [1].
            - The north gate does not close at eight [1].
            - Ms Brandt closes the north gate at eight [1].
            - The answer to the question is: When does the north gate close [1]?
            - The answer to the question is the north gate closes.
            - The north gate is the gate of the warden of the gate of the warden of the gate of the warden of the gate [1].
            - The north gate opens at eight [1].
            - The north gate closes before eight [1].
            + At eight the north gate closes [1].
            + The gate closes at eight [1].
            Q What room has Mrs Brandt?
            + Mrs Brandt has room 118 [1].
            - Mrs Brandt has room 119 [1].
            + Mrs Brandt's room is 118 [1].
            - Mr Osei has room 118.
            + Mrs Brandt has room 118 and Mr Osei has room 119.
            - Mrs Brandt has room 119 and Mr Osei has room 118.
            - Mrs Brandt has room 118 and 119.
            Q What is the ticket for Turin?
            - The ticket for Turin is 64 euros [2].
            + The ticket for Turin is 38 euros [2].
            - The ticket for Turin is 38 minutes [2].
            - The ticket for Turin is at most 38 euros [2].
            + For Turin the ticket is 38 euros [2].
            - The ticket for Turin and Bergen is 38 euros [2].
            + According to passage 2, the ticket for Turin is 38 euros.
            + The ticket for Turin is 38 euros and the ticket for Bergen is 64 euros.
            - The ticket for Turin is 64 euros and the ticket for Bergen is 38 euros.
            Q How long does the long route take?
            - The long route takes 40 minutes [2].
            + The long route takes 6 hours [2].
            - The long route takes 6 minutes [2].
            - 40 minutes [2].
            + It takes 6 hours [2].
            - It takes 40 minutes [2].
            - The short route takes 6 hours.
            Q When does the reading room open?
            - The reading room closes at eight [1].
            + The reading room opens at eleven [1].
            R
            P The fee for a group tour goes from 2,150 to 2,300 euros on 1 July 2031. Children under six ride free.
            Q How much does the group tour cost?
            - The group tour costs 2,150 euros in August 2031 [1].
            + The fee for a group tour goes from 2,150 to 2,300 euros on 1 July 2031 [1].
            - The fee for a group tour goes from 2,300 to 2,150 euros on 1 July 2031 [1].
            + From 1 July 2031 the group tour costs 2,300 euros.
            + The fee for a group tour is 2,300 euros from 1 July 2031 [1].
            + Before 1 July 2031, the fee for a group tour is 2,150 euros.
            - Before 1 July 2031, the fee for a group tour is 2,300 euros.
            - The fee for a group tour is 2,150 euros.
            - After 1 July 2031 the fee for a group tour is 2,150 euros.
            + In August 2031 the fee for a group tour is 2,300 euros.
            + The fee for a group tour goes up to 2,300 euros on 1 July 2031.
            - The fee for a group tour is 2,300 euros in June 2031.
            + The fee for a group tour is 2,150 euros until 1 July 2031.
            - Children under six ride free from 1 July 2031.
            + Children under six ride for free.
            - Children over six ride free.
            - Children under six do not ride free.
            R
            P {Shop}The shop sells bread and milk. It does not sell tobacco. Anna Berg pays Tom Hill 30 euros every Friday. Tom Hill was paid by Anna Berg in 2019. More than 20 people work there. If it rains, the terrace is closed. The old bakery may move to Lund in 2027. Figure 3: Sales in Java 9.1
            Q What does the shop sell?
            + The shop sells bread and milk.
            + The shop sells milk.
            + The shop sells bread.
            - The shop sells tobacco.
            + The shop does not sell tobacco.
            - The shop does not sell bread.
            - It sells tobacco.
            - The shop sells bread but not milk.
            Q Whom does Anna Berg pay?
            + Anna Berg pays Tom Hill 30 euros every Friday.
            - Tom Hill pays Anna Berg 30 euros every Friday.
            + Tom Hill is paid 30 euros by Anna Berg every Friday.
            - Anna Berg is paid by Tom Hill every Friday.
            + Every Friday, Anna Berg pays Tom Hill 30 euros.
            + Anna Berg paid Tom Hill in 2019.
            - Tom Hill paid Anna Berg in 2019.
            - Anna Berg pays Tom Hill 30 euros every Monday.
            - Anna Berg never pays Tom Hill 30 euros.
            Q How many people work in the shop?
            + More than 20 people work there.
            - Fewer than 20 people work there.
            - 20 people work there.
            - At most 20 people work there.
            Q Is the terrace closed?
            + If it rains, the terrace is closed.
            - The terrace is closed.
            - The terrace is closed unless it rains.
            Q What happens to the old bakery?
            + The old bakery may move to Lund in 2027.
            - The old bakery moves to Lund in 2027.
            - The old bakery may move from Lund in 2027.
            - Sales in Java 9.1.
            - The figure shows sales in Java 9.1.
            R
            P Der Garten schließt um acht. Die Halle öffnet um elf. Frau Berg hat die Nummer 118.
            Q Wann schließt der Garten?
            + Der Garten schließt um acht.
            - Der Garten schließt um elf.
            - Der Garten schließt nicht um acht.
            - Die Halle schließt um acht.
            - Frau Berg schließt um acht.
            R
            P | City | Ticket | Hotel |\\n|---|---|---|\\n| Turin | 38 euros | 120 euros |\\n| Bergen | 64 euros | 180 euros |
            Q What is the ticket for Turin?
            + The ticket for Turin is 38 euros.
            - The ticket for Turin is 64 euros.
            - The ticket for Turin is 120 euros.
            + The hotel in Bergen is 180 euros.
            - The hotel in Turin is 180 euros.
            R
            P The new museum was opened by the mayor on 3 May 2011. The old library, which was built in 1890, holds 40,000 books. Entry costs 5 euros for adults and 3 euros for children. Of the visitors 38 come from Turin and 64 from Bergen. The tower is taller than the church. Sales rose from 20 million in 2019 to 35 million in 2020.
            Q Who opened the new museum?
            + The mayor opened the new museum on 3 May 2011.
            - The new museum opened the mayor.
            - The mayor opened the old library.
            - The new museum was opened in 1890.
            + The new museum was opened in 2011.
            + The new museum was opened on May 3, 2011.
            - The new museum was opened on 5 March 2011.
            + The old library holds 40,000 books.
            + The old library was built in 1890.
            - The old library was not built in 1890.
            + Entry costs 5 euros for adults.
            + Entry costs 3 euros for children.
            - Entry costs 3 euros for adults.
            - Entry costs 5 euros for children.
            - The church is taller than the tower.
            + The tower is taller than the church.
            - The tower is shorter than the church.
            + Sales rose to 35 million in 2020.
            - Sales rose to 20 million in 2020.
            - Sales rose from 20 million in 2020.
            - Sales fell from 20 million in 2019 to 35 million in 2020.
            - Sales were 35 million in 2019.
            - 38 visitors come from Bergen.
            """;

    @TestFactory
    Stream<DynamicTest> aSentenceIsKeptWhereASourceSaysIt() {
        List<DynamicTest> tests = new ArrayList<>();
        List<TwinPrompt.Packed> passages = new ArrayList<>();
        String question = "";
        for (String line : SENTENCES.lines().filter(l -> !l.isBlank()).toList()) {
            String rest = line.substring(Math.min(2, line.length()));
            switch (line.charAt(0)) {
                case 'P' -> passages.add(passage(passages.size() + 1, rest.replace("\\n", "\n")));
                case 'Q' -> question = rest;
                case 'R' -> passages.clear();
                default -> tests.add(test(List.copyOf(passages), question, line.charAt(0) == '+', rest));
            }
        }
        return tests.stream();
    }

    private static DynamicTest test(List<TwinPrompt.Packed> passages, String question, boolean kept, String written) {
        CitationMarkers marks = CitationMarkers.of(written);
        List<Integer> cited =
                marks.marks().stream().flatMap(mark -> mark.numbers().stream()).toList();
        return DynamicTest.dynamicTest(question + " " + written, () -> {
            Grounding.Verdict verdict =
                    new Grounding(passages, 0.75, "Castor", question).check(marks.text(), cited, "");
            assertThat(verdict.supported()).as(verdict.reason()).isEqualTo(kept);
        });
    }

    private static TwinPrompt.Packed passage(int number, String text) {
        int end = text.indexOf('}');
        return GroundingTest.packed(
                number, end < 0 ? List.of() : List.of(text.substring(1, end)), text.substring(end + 1));
    }
}
