package dev.pollux.rag.knowledge;

import dev.pollux.internal.text.AskedWord;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.PositionIncrementAttribute;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.Similarity;

/** How text becomes terms and matches become scores. */
final class Analysis {

    /*
     * Words and stems are those of dev.pollux.internal.text.Words, so that the index finds what the twin compares. A word is
     * indexed under its stems in the language of its passage and, marked, under its exact form, all at one position. A word
     * of a question is looked for under its stems in every language that the index has and under its exact form, and
     * scores as the best of these: accents and endings as asked for come first, others are found too, and a wrong guess of a
     * language costs no more than stems. Function words are in the index for questions that have no others.
     */

    /** Names the rules of analysis; texts analysed by others are indexed again. */
    static final String RECIPE = "words-1";

    private static final float K1 = 1.2f;
    private static final float B = 0.75f;

    /** BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009. */
    static final Similarity SIMILARITY = new BM25Similarity(K1, B);

    /** Opens the term of an exact form; no word begins with it. */
    private static final String EXACT = "=";

    private Analysis() {}

    /** The terms of a text in {@code language}, for the index. */
    static TokenStream stream(String text, Language language) {
        Terms terms = new Terms();
        for (Words.Word word : Words.of(text, language)) {
            Set<String> keys = new LinkedHashSet<>(word.keys());
            keys.add(EXACT + word.form());
            terms.add(keys);
        }
        return terms;
    }

    /** What a question asks for: for each of its words, in order, the terms of which the best counts. Nothing in it is syntax. */
    static List<Set<String>> asked(String question, Collection<String> languages) {
        List<Set<String>> asked = new ArrayList<>();
        for (AskedWord word :
                AskedWord.of(question, languages.stream().map(Languages::byCode).toList())) {
            Set<String> terms = new LinkedHashSet<>();
            word.stems().values().forEach(terms::addAll);
            terms.add(EXACT + word.word().form());
            asked.add(terms);
        }
        return asked;
    }

    /** A stream of terms, those of one word at one position. <em>Confined to one thread.</em> */
    private static final class Terms extends TokenStream {

        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final PositionIncrementAttribute position = addAttribute(PositionIncrementAttribute.class);
        private final List<String> terms = new ArrayList<>();
        private final List<Integer> increments = new ArrayList<>();
        private int next;

        /** All terms of a word at one position. */
        void add(Set<String> word) {
            int increment = 1;
            for (String text : word) {
                terms.add(text);
                increments.add(increment);
                increment = 0;
            }
        }

        @Override
        public boolean incrementToken() {
            if (next == terms.size()) {
                return false;
            }
            clearAttributes();
            term.append(terms.get(next));
            position.setPositionIncrement(increments.get(next));
            next++;
            return true;
        }

        @Override
        public void reset() {
            next = 0;
        }
    }
}
