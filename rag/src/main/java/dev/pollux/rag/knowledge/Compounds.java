package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;

/** The compounds of an index in languages that write them as one word, such as German. <em>Immutable.</em> */
final class Compounds {

    /*
     * The vocabulary is the index itself: a word of the index is a compound if both of its parts are words of the index too, with
     * one of a few linking sounds after the first (Eltern + Urlaub, Urlaub + s + Antrag). So there is no dictionary to carry, every
     * compounding language is served, and a word that no document has is never looked for. Short parts are excluded: nearly every
     * word ends in some word of three letters.
     *
     * A question for a part also finds compounds with it, and one for a compound its parts, with less weight than the word itself.
     * The vocabulary is read by the first question in such a language; time is O(words · their length).
     */

    private static final int SHORTEST_PART = 4;
    private static final int MOST_RELATED = 64;
    private static final List<String> LINKS = List.of("", "s", "es", "n", "en", "e", "er");

    private final Set<String> words;
    private final Map<String, List<String>> compounds; // by part

    private Compounds(Set<String> words, Map<String, List<String>> compounds) {
        this.words = words;
        this.compounds = compounds;
    }

    static Compounds of(DirectoryReader reader) throws IOException {
        Set<String> words = new HashSet<>();
        Terms terms = MultiTerms.getTerms(reader, IndexLayout.CONTENT);
        TermsEnum all = terms == null ? TermsEnum.EMPTY : terms.iterator();
        while (all.next() != null) {
            String term = all.term().utf8ToString();
            if (term.startsWith(Analysis.EXACT) && term.length() > SHORTEST_PART && isWord(term)) {
                words.add(term.substring(Analysis.EXACT.length()));
            }
        }
        return of(words);
    }

    static Compounds of(Set<String> words) {
        Map<String, List<String>> compounds = new HashMap<>();
        for (String word : words) {
            for (String part : parts(word, words)) {
                compounds.computeIfAbsent(part, key -> new ArrayList<>(1)).add(word);
            }
        }
        return new Compounds(words, compounds);
    }

    private static boolean isWord(String term) {
        return term.codePoints().skip(Analysis.EXACT.length()).allMatch(Character::isLetter);
    }

    /** The words that have one of these forms as a part, and the parts of these forms; at most 64, without the forms themselves. */
    Set<String> related(Set<String> forms) {
        Set<String> related = new LinkedHashSet<>();
        for (String form : forms) {
            related.addAll(parts(form, words));
        }
        for (String form : forms) {
            compounds.getOrDefault(form, List.of()).stream()
                    .sorted()
                    .limit(MOST_RELATED)
                    .forEach(related::add);
        }
        related.removeAll(forms);
        return related;
    }

    private static Set<String> parts(String word, Set<String> words) {
        Set<String> parts = new LinkedHashSet<>();
        for (int at = SHORTEST_PART; at <= word.length() - SHORTEST_PART; at++) {
            String last = word.substring(at);
            if (words.contains(last)) {
                for (String link : LINKS) {
                    String first = word.substring(0, Math.max(0, at - link.length()));
                    if (first.length() >= SHORTEST_PART
                            && word.startsWith(link, first.length())
                            && words.contains(first)) {
                        parts.add(first);
                        parts.add(last);
                    }
                }
            }
        }
        return parts;
    }
}
