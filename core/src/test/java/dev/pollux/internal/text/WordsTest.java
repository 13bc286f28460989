package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WordsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "merge merges merged merging merger",
                "model models modeling modelling modelled modeled",
                "quantize quantized quantization quantizations quantise quantised",
                "evaluate evaluated evaluating evaluation evaluations",
                "create creates created creating creation",
                "train trains trained training trainings trainer",
                "retrieve retrieved retrieving retrieves retrieval",
                "query queries",
                "index indexes indexed indexing",
                "run runs running",
                "store stores stored storing",
                "embed embeds embedded embedding embeddings embedder",
                "class classes",
                "generate generates generated generation generator",
                "two 2",
                "apply applies applied applying",
                "use uses used using",
                "efficient efficiently"
            })
    void wordsOfOneFamilyMeet(String family) {
        assertThat(Words.of(family)).extracting(Words.Word::stem).containsOnly(Words.stem(family.split(" ")[0]));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model mode",
                "merge merit",
                "sing single",
                "base basic",
                "text test",
                "weight weigh",
                "string strong",
                "bus business",
                "species special",
                "this thing",
                "process procedure",
                "data date"
            })
    void wordsOfTwoFamiliesDoNot(String words) {
        String[] two = words.split(" ");
        assertThat(Words.stem(two[0])).isNotEqualTo(Words.stem(two[1]));
    }

    @Test
    void aTextFallsIntoWords() {
        assertThat(Words.of("The model's 1,000 GGUF-files (v1.5) cost €3.50, etc. naïve_id 模型"))
                .extracting(Words.Word::text)
                .containsExactly(
                        "The", "model", "s", "1,000", "GGUF", "files", "v1.5", "cost", "3.50", "etc", "naïve", "id",
                        "模型");
        assertThat(Words.contentStems("The model's 1,000 files are in 3, 4 or 12,50 parts"))
                .containsExactly("model", "1000", "fil", "3", "4", "12", "50", "part");
    }

    @Test
    void wordsKnowTheirPlace() {
        String text = "Ünder 2 models";
        assertThat(Words.of(text))
                .allSatisfy(word ->
                        assertThat(text.substring(word.start(), word.end())).isEqualTo(word.text()));
    }

    @Test
    void functionWordsAndLettersCarryNoMeaning() {
        assertThat(Words.contentStems("What is the a of it, and why don't they?"))
                .isEmpty();
        assertThat(Words.contentStems("Yes. Sure x")).containsExactly("sur");
    }

    @Test
    void aQuestionIsAboutWhatItDoesNotMerelyAskWith() {
        assertThat(Words.questionStems("Explain how models are merged")).containsExactly("model", "merg");
        assertThat(Words.questionStems("Explain it")).containsExactly("explain");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "𝗵𝗮𝗿𝗯𝗼𝘂𝗿|harbour",
                "ｈａｒｂｏｕｒ|harbour",
                "ⓗⓐⓡⓑⓞⓤⓡ|harbour",
                "ﬁle|file",
                "Straße|STRASSE",
                "ΟΔΟΣ|οδός",
                "café|cafe",
                "İSTANBUL|istanbul",
                "CO₂|co2",
                "m²|M2",
                "har\u00adbour|harbour",
                "U.S.A|USA",
                "e\u0301tude|étude",
                "ёлка|елка",
                "п'ять|пять",
                "٣|3",
                "１２|12",
                "1,000|1000",
                "1'000|1000",
                "1.000,5|1,000.5",
                "6½|6.5",
                "C++|c++"
            })
    void spellingsOfOneWordMeet(String one, String other) {
        assertThat(Words.of(one)).hasSize(1);
        assertThat(Words.of(one).get(0).stem()).isEqualTo(Words.of(other).get(0).stem());
    }

    @ParameterizedTest
    @ValueSource(strings = {"й и", "C C++", "10 102", "3.10 3.1", "กา กี", "Pollux™ PolluxTM"})
    void lettersThatAreOthersDoNot(String words) {
        String[] two = words.split(" ");
        assertThat(Words.of(two[0]).get(0).stem())
                .isNotEqualTo(Words.of(two[1]).get(0).stem());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "an e-mail|email",
                "the Wi‑Fi|wifi",
                "KnowledgeBase|knowledg",
                "5kg|5",
                "東京都|京",
                "a state-of-the-art|art"
            })
    void aWordIsFoundByItsPartsAndAsAWhole(String text, String key) {
        assertThat(Words.of(text)).anySatisfy(word -> assertThat(word.keys()).contains(key));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "l'eau|l, eau",
                "model’s|model, s",
                "don't|don't",
                "word¹|word, ¹",
                "10²|10, ²",
                "1.7.2026|1.7.2026",
                "3,5|3, 5",
                "カタカナ|カタカナ",
                "東京都|東京, 京都"
            })
    void wordsEndWhereAReaderEndsThem(String text, String words) {
        assertThat(Words.of(text)).extracting(Words.Word::text).containsExactly(words.split(", "));
    }

    @Test
    void functionWordsWrittenAsNamesAreContent() {
        assertThat(Words.contentStems("Where is IT?")).containsExactly("IT");
        assertThat(Words.contentStems("Who were The Who?")).containsExactly("The", "Who");
        assertThat(Words.contentStems("Was it on a Monday in May?")).containsExactly("mondai", "May");
        assertThat(Words.contentStems("WHERE IS IT?")).isEmpty();
        assertThat(Words.contentStems("How To Do It All")).isEmpty();
        assertThat(Words.of("Will said no.").get(0).keys()).contains("Will");
        assertThat(Words.of("it is so").get(0).keys()).doesNotContain("IT", "It");
    }

    @Test
    void onlyFunctionWordsHaveToDo() {
        assertThat(Words.asked("who were they", Languages.ENGLISH))
                .extracting(Words.Word::text)
                .containsExactly("who", "were", "they");
    }

    @Test
    void contractionsDenyAndDonIsAName() {
        assertThat(Words.of("They don’t, Don cannot"))
                .extracting(Words.Word::role)
                .containsExactly(Words.Role.FUNCTION, Words.Role.NEGATION, Words.Role.CONTENT, Words.Role.NEGATION);
    }

    @Test
    void aWordOfAnyLengthHasAKeyOfBoundedLength() {
        assertThat(Words.of("x".repeat(10_000)))
                .singleElement()
                .satisfies(word -> assertThat(word.stem()).hasSize(255));
    }
}
