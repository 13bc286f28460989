package dev.pollux.rag.issues;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A word inside a Thai clause, or a Korean noun with a particle, was not found, since only spaces ended words. */
class WordsWithoutSpacesTest extends KnowledgeTestCase {

    @ParameterizedTest
    @CsvSource({
        "สำนักงานเปิดทุกวัน, สำนักงาน",
        "도서관은 아홉 시에 연다, 도서관",
        "図書館は九時に開きます, 図書館",
    })
    void theWordIsFound(String text, String word) {
        assertFound(text, word);
    }
}
