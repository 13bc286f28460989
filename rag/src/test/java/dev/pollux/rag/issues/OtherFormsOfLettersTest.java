package dev.pollux.rag.issues;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Words in letters of another form, such as the bold mathematical letters of social networks, full-width letters and ligatures,
 * were not found by the same words in plain letters.
 */
class OtherFormsOfLettersTest extends KnowledgeTestCase {

    @ParameterizedTest
    @CsvSource({
        "Our 𝗛𝗮𝗿𝗯𝗼𝘂𝗿 closes at noon., harbour",
        "Our Ｈａｒｂｏｕｒ closes at noon., harbour",
        "The ﬁlter is cleaned., filter",
        "The filter is cleaned., ﬁlter",
        "The café is open., café",
    })
    void theSameWordIsFound(String text, String word) {
        assertFound(text, word);
    }
}
