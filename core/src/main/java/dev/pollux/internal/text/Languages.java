package dev.pollux.internal.text;

import java.lang.Character.UnicodeScript;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** The known languages, and language identification. <em>Thread-safe.</em> */
public final class Languages {

    /*
     * A script used by a single language identifies it. Otherwise each language of the script is scored:
     *
     *   score(L) = sum over the text's words in its function words of 1 / (number of the script's languages that have it)
     *
     * divided by the number of words. The best language is chosen if its lead over the second is clear. English is tested
     * first, by function words that no other language here has, so that English texts load no other language. With too
     * little evidence the result is the fallback: the language of the surrounding text, else English. A long text has no
     * language if no provider of other languages is present. A question is in a language of the texts unless it has two
     * function words of another one: names and abbreviations are function words of some language.
     *
     * Rejected: n-gram profiles. They identify short texts better but need a model per language. A question is compared with
     * each passage in the passage's language, so only its function words depend on identification.
     */

    private static final int MOST_CHARACTERS = 4000;

    private static final double ENGLISH_SHARE = 0.2;

    /** A text of so many words without function words of a language is not of it. */
    private static final int ENOUGH = 10;

    private static final double FEWEST = 0.08;

    private static final double CLEAR = 1.15;

    /** Share of the words of a question that identifies a language of none of the texts; two words always do. */
    private static final double FOREIGN = 0.3;

    /** English function words that are words of other languages too. */
    private static final Set<String> SHARED =
            Set.of(("a all also am an are as at be by d do don etc for had has have he her i"
                            + " in is it just m me mine most my no nor of on over per re s so t to too under us ve was will man"
                            + " one up out down if name here same then thing list state say")
                    .split(" "));

    private static final Map<UnicodeScript, List<String>> SCRIPTS = scripts();

    /** English, which needs no provider. */
    public static final Language ENGLISH = new Language("en", English.FUNCTION, English::stem);

    /** The language of texts in no known language; words are unchanged. */
    public static final Language NONE = new Language("", Set.of(), UnaryOperator.identity());

    private static final Map<String, LanguageProvider> PROVIDERS = providers();

    private static final Map<String, Language> KNOWN = new ConcurrentHashMap<>(Map.of("en", ENGLISH, "", NONE));

    private Languages() {}

    /** English with another rule for the endings of words of lower-case ASCII letters. */
    public static Language english(UnaryOperator<String> rule) {
        return new Language("en", English.FUNCTION, form -> English.stem(form, rule));
    }

    /** The language with this ISO 639-1 code; {@link #NONE} if it is not known. */
    public static Language byCode(String code) {
        return SCRIPTS.values().stream().anyMatch(codes -> codes.contains(code))
                ? KNOWN.computeIfAbsent(code, Languages::load)
                : KNOWN.getOrDefault(code, NONE);
    }

    /** The language of a text; English for a few words without evidence. */
    public static Language of(String text) {
        List<String> forms = forms(text);
        boolean foreign = PROVIDERS.isEmpty() && forms.size() >= ENOUGH && english(forms) < FEWEST * forms.size();
        return detect(text, forms).orElse(foreign ? NONE : ENGLISH);
    }

    /** The language of a text, or {@code fallback} if the text has too little evidence. */
    public static Language of(String text, Language fallback) {
        return detected(text).orElse(fallback);
    }

    /** The language of a text; empty if the text has too little evidence. */
    public static Optional<Language> detected(String text) {
        return detect(text, forms(text));
    }

    /** The language of a question on texts of {@code languages}: its own, else theirs if it is one; {@link #NONE} if not. */
    public static Language ofQuestion(String question, Collection<Language> languages) {
        return detected(question, languages)
                .orElseGet(() -> languages.size() == 1 ? languages.iterator().next() : NONE);
    }

    /**
     * The language of a question on texts of {@code languages}, as the element of these if it is one; empty if the question
     * has too little evidence. For a language that no text has, one word is not enough: "BAT" in an English question is not
     * the Basque numeral.
     */
    public static Optional<Language> detected(String question, Collection<Language> languages) {
        List<String> forms = forms(question);
        return detect(question, forms).flatMap(language -> {
            Optional<Language> own = languages.stream()
                    .filter(known -> known.code().equals(language.code()))
                    .findFirst();
            boolean sure = languages.isEmpty()
                    || isAlone(language)
                    || evidence(language, forms, languages) >= Math.min(2, FOREIGN * forms.size());
            return own.isPresent() || !sure ? own : Optional.of(language);
        });
    }

    /** Whether the language is identified by its script. */
    private static boolean isAlone(Language language) {
        return SCRIPTS.values().stream().noneMatch(codes -> codes.size() > 1 && codes.contains(language.code()));
    }

    /** The number of different function words of {@code language} that the other languages do not have. */
    private static long evidence(Language language, List<String> forms, Collection<Language> others) {
        return forms.stream()
                .distinct()
                .filter(language.functionWords()::contains)
                .filter(form ->
                        others.stream().noneMatch(other -> other.functionWords().contains(form)))
                .count();
    }

    private static Optional<Language> detect(String text, List<String> forms) {
        Optional<UnicodeScript> script = script(text);
        if (script.isEmpty()) {
            return Optional.empty();
        }
        List<String> codes = SCRIPTS.getOrDefault(script.get(), List.of());
        if (codes.isEmpty()) {
            return Optional.of(NONE);
        }
        if (codes.size() == 1) {
            return Optional.of(byCode(codes.get(0)));
        }
        if (script.get() == UnicodeScript.LATIN && isEnglish(forms)) {
            return Optional.of(ENGLISH);
        }
        Optional<Language> best = best(codes, forms);
        return best.isPresent() || script.get() == UnicodeScript.LATIN ? best : Optional.of(byCode(codes.get(0)));
    }

    private static Optional<Language> best(List<String> codes, List<String> forms) {
        Map<String, Double> scores = new LinkedHashMap<>();
        for (String form : forms) {
            List<String> having = codes.stream()
                    .filter(code -> byCode(code).functionWords().contains(form))
                    .toList();
            having.forEach(code -> scores.merge(code, 1.0 / having.size(), Double::sum));
        }
        List<Map.Entry<String, Double>> ranked = scores.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                .toList();
        if (ranked.isEmpty() || ranked.get(0).getValue() < FEWEST * forms.size()) {
            return Optional.empty();
        }
        boolean clear = ranked.size() == 1
                || ranked.get(0).getValue() >= CLEAR * ranked.get(1).getValue();
        return clear ? Optional.of(byCode(ranked.get(0).getKey())) : Optional.empty();
    }

    private static boolean isEnglish(List<String> forms) {
        boolean own = forms.stream().anyMatch(form -> English.FUNCTION.contains(form) && !SHARED.contains(form));
        return own && english(forms) >= ENGLISH_SHARE * forms.size();
    }

    private static long english(List<String> forms) {
        return forms.stream().filter(English.FUNCTION::contains).count();
    }

    private static List<String> forms(String text) {
        String head = text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS) : text;
        List<String> forms = new ArrayList<>();
        for (Span span : Span.of(head)) {
            String form = Folding.form(head.substring(span.start(), span.end()));
            if (!form.isEmpty() && !Character.isDigit(form.charAt(0))) {
                forms.add(form);
            }
        }
        return forms;
    }

    /** The script of most letters; kana and Hangul among ideographs decide for Japanese and Korean. */
    private static Optional<UnicodeScript> script(String text) {
        Map<UnicodeScript, Integer> counts = new EnumMap<>(UnicodeScript.class);
        text.codePoints().limit(MOST_CHARACTERS).filter(Character::isLetter).forEach(c -> {
            UnicodeScript script = UnicodeScript.of(c);
            if (script == UnicodeScript.COMMON) { // letters of another design
                script = UnicodeScript.LATIN;
            }
            counts.merge(script, Character.isIdeographic(c) ? 2 : 1, Integer::sum);
        });
        int kana = counts.getOrDefault(UnicodeScript.HIRAGANA, 0) + counts.getOrDefault(UnicodeScript.KATAKANA, 0);
        int han = counts.getOrDefault(UnicodeScript.HAN, 0);
        if (kana > 0 && kana * 8 >= han) {
            counts.merge(UnicodeScript.HIRAGANA, han + kana, Integer::sum);
            counts.remove(UnicodeScript.HAN);
            counts.remove(UnicodeScript.KATAKANA);
        }
        return counts.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
    }

    private static Language load(String code) {
        LanguageProvider provider = PROVIDERS.get(code);
        Language known = provider == null ? NONE : provider.language(code).orElse(NONE);
        Set<String> function = new HashSet<>(LanguageTable.function(code));
        known.functionWords().forEach(word -> function.add(Folding.form(word)));
        return new Language(code, withFolded(function), known.stemmer());
    }

    /** Readers leave accents out; a function word is one without them too. */
    private static Set<String> withFolded(Collection<String> words) {
        Set<String> all = new HashSet<>(words);
        words.forEach(word -> all.add(Folding.folded(word)));
        return all;
    }

    private static Map<String, LanguageProvider> providers() {
        Map<String, LanguageProvider> providers = new HashMap<>();
        ServiceLoader.load(LanguageProvider.class, Languages.class.getClassLoader()).stream()
                .forEach(found -> {
                    try {
                        LanguageProvider provider = found.get();
                        provider.codes().forEach(code -> providers.putIfAbsent(code, provider));
                    } catch (ServiceConfigurationError e) {
                        // A provider whose own library is absent knows nothing, as if it were absent itself.
                        return;
                    }
                });
        return Map.copyOf(providers);
    }

    /** The languages of a script, the commonest first, which is taken where function words do not tell. */
    private static Map<UnicodeScript, List<String>> scripts() {
        Map<UnicodeScript, List<String>> scripts = new EnumMap<>(UnicodeScript.class);
        scripts.put(
                UnicodeScript.LATIN,
                List.of("en de fr es it pt nl sv da no fi pl cs sk hr ro hu tr ca gl id vi lt lv et eu ga".split(" ")));
        scripts.put(UnicodeScript.CYRILLIC, List.of("ru", "uk", "bg", "sr"));
        scripts.put(UnicodeScript.ARABIC, List.of("ar", "fa", "ckb"));
        scripts.put(UnicodeScript.DEVANAGARI, List.of("hi", "ne"));
        scripts.put(UnicodeScript.GREEK, List.of("el"));
        scripts.put(UnicodeScript.HEBREW, List.of("he"));
        scripts.put(UnicodeScript.ARMENIAN, List.of("hy"));
        scripts.put(UnicodeScript.BENGALI, List.of("bn"));
        scripts.put(UnicodeScript.TAMIL, List.of("ta"));
        scripts.put(UnicodeScript.TELUGU, List.of("te"));
        scripts.put(UnicodeScript.THAI, List.of("th"));
        scripts.put(UnicodeScript.HAN, List.of("zh"));
        scripts.put(UnicodeScript.HIRAGANA, List.of("ja"));
        scripts.put(UnicodeScript.HANGUL, List.of("ko"));
        return scripts;
    }
}
