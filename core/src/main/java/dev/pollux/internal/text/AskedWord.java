package dev.pollux.internal.text;

import dev.pollux.internal.text.Words.Word;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A word that a question is about, as texts of several languages would have it: a question is compared with each text in
 * the text's language, so that both have their stems from one stemmer. <em>Immutable.</em>
 *
 * @param word as the question has it
 * @param stems by the code of a language, what finds it in a text of that language
 */
public record AskedWord(Word word, Map<String, Set<String>> stems) {

    public AskedWord {
        stems = Map.copyOf(stems);
    }

    /** What finds it in a text of {@code language}, one of those it was made for. */
    public Set<String> stems(Language language) {
        return stems.getOrDefault(language.code(), Set.of(word.stem()));
    }

    /**
     * The words that a question is about, each once, in order.
     *
     * @param languages of the texts. A question that does not tell its own language is taken to be in one of them, so that
     *     a function word of any is one
     */
    public static List<AskedWord> of(String question, Collection<Language> languages) {
        Set<Language> own = new LinkedHashSet<>();
        Languages.detected(question, languages).ifPresentOrElse(own::add, () -> own.addAll(languages));
        if (own.isEmpty()) {
            own.add(Languages.of(question));
        }
        Map<Integer, Word> about = new LinkedHashMap<>(); // by where they begin
        List<Set<Integer>> starts = new ArrayList<>();
        for (Language language : own) {
            Set<Integer> content = new HashSet<>();
            for (Word word : Words.asked(question, language)) {
                about.putIfAbsent(word.start(), word);
                content.add(word.start());
            }
            starts.add(content);
        }
        if (about.keySet().stream().anyMatch(start -> starts.stream().allMatch(content -> content.contains(start)))) {
            about.keySet().removeIf(start -> !starts.stream().allMatch(content -> content.contains(start)));
        }
        Set<Language> all = new LinkedHashSet<>(own);
        all.addAll(languages);
        return asked(question, about, all);
    }

    private static List<AskedWord> asked(String question, Map<Integer, Word> about, Set<Language> languages) {
        Map<Integer, Map<String, Set<String>>> stems = new HashMap<>();
        for (Language language : languages) {
            for (Word word : Words.of(question, language)) {
                if (about.containsKey(word.start())) {
                    stems.computeIfAbsent(word.start(), start -> new HashMap<>())
                            .put(language.code(), word.asked());
                }
            }
        }
        List<AskedWord> asked = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        about.forEach((start, word) -> {
            if (seen.add(word.stem())) {
                asked.add(new AskedWord(word, stems.getOrDefault(start, Map.of())));
            }
        });
        return List.copyOf(asked);
    }
}
