package dev.pollux.rag.internal.language;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.text.AskedWord;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LuceneLanguagesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "en|Where is the harbour?",
                "de|Wer öffnet das Tor?",
                "de|Wie hoch ist der Turm?",
                "fr|Quand est-ce que le bureau ouvre ?",
                "fr|Où se trouve l'entrée ?",
                "es|¿Cuándo abre la oficina?",
                "it|Quando apre l'ufficio?",
                "it|Chi firma la richiesta di viaggio?",
                "pt|Quem assina o pedido de viagem?",
                "nl|Wanneer gaat het kantoor open?",
                "sv|När öppnar kontoret på måndag?",
                "pl|Kiedy otwiera się biuro?",
                "cs|Kdy se otevírá kancelář?",
                "fi|Milloin toimisto on auki?",
                "tr|Ofis ne zaman açılıyor?",
                "hu|Mikor nyit az iroda?",
                "ru|Когда открывается офис?",
                "uk|Коли відкривається офіс і що це?",
                "el|Πότε ανοίγει το γραφείο;",
                "ar|متى يفتح المكتب؟",
                "he|מתי נפתח המשרד?",
                "hi|कार्यालय कब खुलता है?",
                "th|สำนักงานเปิดเมื่อไร",
                "zh|办公室什么时候开门？",
                "ja|オフィスはいつ開きますか",
                "ko|사무실은 언제 엽니까"
            })
    void aQuestionTellsItsLanguage(String code, String question) {
        assertThat(Languages.of(question).code()).isEqualTo(code);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "de|Wer gewann die Weltmeisterschaft?|gewann Weltmeisterschaft",
                "es|¿Cuál es la capital de Australia?|capital Australia",
                "fr|Qu'est-ce que l'eau de la ville ?|eau ville",
                "it|Quanto costa il biglietto dell'autobus?|costa biglietto autobus",
                "nl|Hoe hoog is de toren?|hoog toren",
                "pl|Jak wysoka jest wieża?|wysoka wieża",
                "ru|Где находится офис?|находится офис"
            })
    void functionWordsOfTheLanguageAskForNothing(String code, String question, String words) {
        assertThat(Words.asked(question, Languages.byCode(code)))
                .extracting(Words.Word::text)
                .containsExactly(words.split(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "de|Häuser|Haus",
                "de|Muelltonne|Mülltonnen",
                "fr|bureaux|bureau",
                "fr|élèves|eleve",
                "es|solicitudes|solicitud",
                "es|camion|camión",
                "it|biglietti|biglietto",
                "pt|pedidos|pedido",
                "ru|офисы|офис",
                "nl|boeken|boek",
                "sv|husen|huset",
                "fi|talossa|talo",
                "el|γραφεία|γραφειο",
                "pl|warsztatu|warsztat",
                "ar|أَمْن|امن"
            })
    void formsOfAWordMeet(String code, String one, String other) {
        Language language = Languages.byCode(code);
        assertThat(Words.of(one, language).get(0).keys())
                .containsAnyElementsOf(Words.of(other, language).get(0).keys());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ko|식당은|식당",
                "ko|구내식당에서|식당",
                "ko|물을|물",
                "ko|가을에|가을",
                "th|ผู้จัดการลงชื่อ|ผู้จัดการ",
                "lo|ພະນັກງານເປີດຫ້ອງ|ພະນັກງານ",
                "km|បុគ្គលិកបើកទ្វារ|បុគ្គលិក",
                "zh|办公室九点开门|办公室",
                "ja|事務所は九時に開きます|事務所"
            })
    void aWordIsFoundInTextWithoutSpaces(String code, String text, String word) {
        Language language = Languages.byCode(code);
        List<Words.Word> held = Words.of(text, language);
        assertThat(AskedWord.of(word, List.of(language)))
                .isNotEmpty()
                .allSatisfy(asked ->
                        assertThat(held).anyMatch(w -> w.keys().stream().anyMatch(asked.stems(language)::contains)));
    }

    @Test
    void numbersAreReadAsTheLanguageWritesThem() {
        Language german = Languages.byCode("de");
        assertThat(Words.of("3,5 Euro und 1.000 Euro", german))
                .extracting(Words.Word::stem)
                .startsWith("3.5")
                .contains("1000");
        assertThat(Words.of("3,5 and 1.000", Languages.ENGLISH))
                .extracting(Words.Word::stem)
                .containsExactly("3", "5", "and", "1.000");
    }

    @Test
    void negationsAreThoseOfTheLanguage() {
        assertThat(Words.of("Le bureau n'est pas ouvert", Languages.byCode("fr")))
                .filteredOn(word -> word.role() == Words.Role.NEGATION)
                .extracting(Words.Word::text)
                .containsExactly("n", "pas");
        assertThat(Words.of("en et ei sans", Languages.ENGLISH)).noneMatch(word -> word.role() == Words.Role.NEGATION);
    }

    @Test
    void politePronounsOfGermanAreNoNames() {
        assertThat(Words.asked("Wann öffnen Sie das Tor?", Languages.byCode("de")))
                .extracting(Words.Word::text)
                .containsExactly("öffnen", "Tor");
    }

    @Test
    void aShortQuestionIsReadInTheLanguageOfTheTexts() {
        Language german = Languages.byCode("de");
        assertThat(Languages.ofQuestion("Mülltonnen Donnerstag", List.of(german))
                        .code())
                .isEqualTo("de");
        assertThat(AskedWord.of("die Häuser", List.of(german)))
                .singleElement()
                .satisfies(asked -> assertThat(asked.stems(german)).contains("haus"));
    }

    /** Letters of the scripts that stemmers know, and a few that none does. */
    private static final String LETTERS = "aeioustrnlmdgkpbvyhcåäöüßéèñçğışčžłęőűîâþ"
            + "аеиоутнсрлвкмйшщыьяюєїћ" + "αειουσνςτρλμκπίώ" + "اويةتنمرلسكهبدىهاڕێۆ" + "אבהוילמנרשתםן"
            + "कातनरसीोंेियव" + "தமிழ்நாடுகள்" + "ნაირებიս" + "աերնության" + "かなカナ漢字한국어0’'";

    @Test
    void anyWordHasAStemInEveryLanguage() {
        long seed = 20261130;
        Random random = new Random(seed);
        for (String code : new LuceneLanguages().codes()) {
            Language language = new LuceneLanguages().language(code).orElseThrow();
            for (int i = 0; i < 2_000; i++) {
                StringBuilder word = new StringBuilder();
                for (int n = 1 + random.nextInt(14); n > 0; n--) {
                    word.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
                }
                assertThat(language.stemmer().apply(word.toString()))
                        .as("seed %d, %s, %s", seed, code, word)
                        .isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Cold rooms increase BAT output.",
                "Which pumps use the AZT valve?",
                "ADAR binds to the pre stage.",
                "Deleting records reduces G-CSF levels"
            })
    void anAbbreviationThatIsAWordOfAnotherLanguageLeavesAQuestionInTheLanguageOfTheTexts(String question) {
        assertThat(Languages.ofQuestion(question, List.of(Languages.ENGLISH)).code())
                .isEqualTo("en");
    }

    @ParameterizedTest
    @CsvSource({
        "de, Wer leitet die Abteilung?",
        "de, Was kostet das?",
        "fr, Combien coûte la licence pour les écoles ?",
        "hu, Mikor kell ezt a szerződést meghosszabbítani?",
        "ru, Сколько стоит лицензия?"
    })
    void aQuestionInALanguageThatNoTextHasIsRecognised(String code, String question) {
        assertThat(Languages.ofQuestion(question, List.of(Languages.ENGLISH)).code())
                .isEqualTo(code);
    }
}
