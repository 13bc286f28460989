package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
                        "模", "型");
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
}
