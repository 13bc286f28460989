package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.Similarity;

/** How text becomes terms and matches become scores. */
final class Analysis {

    private static final float K1 = 1.2f;
    private static final float B = 0.75f;

    /** BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009. */
    static final Similarity SIMILARITY = new BM25Similarity(K1, B);

    private Analysis() {}

    static Analyzer analyzer() {
        return new EnglishAnalyzer();
    }

    /** The terms of a text: any text at all, since nothing in it is syntax. */
    static List<String> terms(Analyzer analyzer, String text) throws IOException {
        List<String> terms = new ArrayList<>();
        try (TokenStream stream = analyzer.tokenStream(IndexLayout.CONTENT, text)) {
            CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
            stream.reset();
            while (stream.incrementToken()) {
                terms.add(term.toString());
            }
            stream.end();
        }
        return terms;
    }
}
