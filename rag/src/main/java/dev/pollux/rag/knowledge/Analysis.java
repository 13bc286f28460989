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
import org.tartarus.snowball.ext.PorterStemmer;

/** Text analysis and scoring for the index. */
final class Analysis {

    /*
     * Words are those of dev.pollux.internal.text.Words, so that the index and the twin compare words alike; so are stems but
     * those of English. The twin asks whether two words are related, and its stems join more words of a family; in a ranking
     * these cost .003 to .005 of nDCG@10 against Porter's algorithm (Program 14(3), 1980; SciFact, Cranfield). A word is indexed under its stems in the language of its passage and, marked, under its exact form, all at one position.
     * A word of a question is searched by its exact form and by its stems in every language of the index; its score is that
     * of the stem plus a tenth of the others' (see View). Exact accents and endings therefore rank first, other forms are also found, and a wrongly identified
     * language affects only stems. Function words are indexed for questions that have no other words.
     */

    /** Names the rules of analysis; texts analysed by others are indexed again. */
    static final String RECIPE = "words-2";

    private static final float K1 = 1.2f;
    private static final float B = 0.75f;

    /** BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009. */
    static final Similarity SIMILARITY = new BM25Similarity(K1, B);

    /** Opens the term of an exact form; no word begins with it. */
    static final String EXACT = "=";

    private static final Language ENGLISH = Languages.english(Analysis::porter);

    private Analysis() {}

    /** The terms of a text in {@code language}, for the index. */
    static TokenStream stream(String text, Language language) {
        Terms terms = new Terms();
        for (Words.Word word : Words.of(text, indexed(language))) {
            Set<String> keys = new LinkedHashSet<>(word.keys());
            keys.add(EXACT + word.form());
            terms.add(keys);
        }
        return terms;
    }

    /**
     * The terms of a question: per word, in order, the alternatives of which the best counts. No character has a syntactic
     * meaning.
     */
    static List<Set<String>> asked(String question, Collection<String> languages) {
        List<Set<String>> asked = new ArrayList<>();
        for (AskedWord word : AskedWord.of(
                question,
                languages.stream().map(Languages::byCode).map(Analysis::indexed).toList())) {
            Set<String> terms = new LinkedHashSet<>();
            word.stems().values().forEach(terms::addAll);
            terms.add(EXACT + word.word().form());
            asked.add(terms);
        }
        return asked;
    }

    private static Language indexed(Language language) {
        return language.equals(Languages.ENGLISH) ? ENGLISH : language;
    }

    private static String porter(String word) {
        PorterStemmer stemmer = new PorterStemmer(); // has a state
        stemmer.setCurrent(word);
        stemmer.stem();
        return stemmer.getCurrent();
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
