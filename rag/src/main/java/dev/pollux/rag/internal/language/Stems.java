package dev.pollux.rag.internal.language;

import java.text.Normalizer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.lucene.analysis.ar.ArabicNormalizer;
import org.apache.lucene.analysis.ar.ArabicStemmer;
import org.apache.lucene.analysis.ckb.SoraniNormalizer;
import org.apache.lucene.analysis.ckb.SoraniStemmer;
import org.apache.lucene.analysis.de.GermanLightStemmer;
import org.apache.lucene.analysis.el.GreekStemmer;
import org.apache.lucene.analysis.fa.PersianNormalizer;
import org.apache.lucene.analysis.fa.PersianStemmer;
import org.apache.lucene.analysis.hi.HindiNormalizer;
import org.apache.lucene.analysis.hi.HindiStemmer;
import org.tartarus.snowball.SnowballStemmer;
import org.tartarus.snowball.ext.ArmenianStemmer;
import org.tartarus.snowball.ext.BasqueStemmer;
import org.tartarus.snowball.ext.CatalanStemmer;
import org.tartarus.snowball.ext.DanishStemmer;
import org.tartarus.snowball.ext.DutchStemmer;
import org.tartarus.snowball.ext.EstonianStemmer;
import org.tartarus.snowball.ext.IrishStemmer;
import org.tartarus.snowball.ext.LithuanianStemmer;
import org.tartarus.snowball.ext.NepaliStemmer;
import org.tartarus.snowball.ext.NorwegianStemmer;
import org.tartarus.snowball.ext.RomanianStemmer;
import org.tartarus.snowball.ext.SerbianStemmer;
import org.tartarus.snowball.ext.TamilStemmer;
import org.tartarus.snowball.ext.TurkishStemmer;

/** Lucene's stemmers as functions of a word in lower case. <em>Stateless, thread-safe.</em> */
final class Stems {

    /** A stem may be longer than its word; token filters give buffers with room as well. */
    private static final int ROOM = 8;

    /** What all forms of a word share in strongly inflected languages (McNamee and Mayfield, 2004, as 4- and 5-grams). */
    private static final int TRUNCATED = 5;

    private static final Map<String, Supplier<SnowballStemmer>> SNOWBALL = Map.ofEntries(
            Map.entry("Armenian", ArmenianStemmer::new),
            Map.entry("Basque", BasqueStemmer::new),
            Map.entry("Catalan", CatalanStemmer::new),
            Map.entry("Danish", DanishStemmer::new),
            Map.entry("Dutch", DutchStemmer::new),
            Map.entry("Estonian", EstonianStemmer::new),
            Map.entry("Irish", IrishStemmer::new),
            Map.entry("Lithuanian", LithuanianStemmer::new),
            Map.entry("Nepali", NepaliStemmer::new),
            Map.entry("Norwegian", NorwegianStemmer::new),
            Map.entry("Romanian", RomanianStemmer::new),
            Map.entry("Serbian", SerbianStemmer::new),
            Map.entry("Tamil", TamilStemmer::new),
            Map.entry("Turkish", TurkishStemmer::new));

    /** Work on the first {@code length} characters of a buffer; the new length. */
    @FunctionalInterface
    interface InPlace {
        int apply(char[] word, int length);
    }

    private Stems() {}

    /** The steps in order, each on what the one before left. */
    static UnaryOperator<String> inPlace(InPlace... steps) {
        return word -> {
            char[] buffer = Arrays.copyOf(word.toCharArray(), word.length() + ROOM);
            int length = word.length();
            for (InPlace step : steps) {
                length = step.apply(buffer, length);
            }
            return length == 0 ? word : new String(buffer, 0, length);
        };
    }

    /** A stemmer has a state, so each word gets its own. */
    static UnaryOperator<String> snowball(String name) {
        Supplier<SnowballStemmer> stemmers = Objects.requireNonNull(SNOWBALL.get(name), name);
        return word -> {
            SnowballStemmer stemmer = stemmers.get();
            stemmer.setCurrent(word);
            stemmer.stem();
            return stemmer.getCurrent().isEmpty() ? word : stemmer.getCurrent();
        };
    }

    /** Umlauts may be written ae, oe and ue: u after a vowel or q is none. */
    static String german(String word) {
        StringBuilder plain = new StringBuilder(word.length());
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            char before = i == 0 ? ' ' : word.charAt(i - 1);
            boolean umlaut = c == 'e'
                    && (before == 'a' || before == 'o' || before == 'u')
                    && (before != 'u' || i < 2 || "aeiouqäöü".indexOf(word.charAt(i - 2)) < 0);
            if (!umlaut) {
                plain.append(c);
            }
        }
        return inPlace(new GermanLightStemmer()::stem).apply(plain.toString());
    }

    static String greek(String word) {
        String plain = Normalizer.normalize(word.toLowerCase(Locale.ROOT), Normalizer.Form.NFD)
                .replaceAll("\\p{Mn}", "");
        return plain.isEmpty() ? word : inPlace(new GreekStemmer()::stem).apply(plain);
    }

    static String arabic(String word) {
        return inPlace(new ArabicNormalizer()::normalize, new ArabicStemmer()::stem)
                .apply(word);
    }

    static String persian(String word) {
        return inPlace(new PersianNormalizer()::normalize, new PersianStemmer()::stem)
                .apply(word);
    }

    static String sorani(String word) {
        return inPlace(new SoraniNormalizer()::normalize, new SoraniStemmer()::stem)
                .apply(word);
    }

    static String hindi(String word) {
        return inPlace(new HindiNormalizer()::normalize, new HindiStemmer()::stem)
                .apply(word);
    }

    /** For languages without a stemmer here. */
    static String truncated(String word) {
        return word.codePointCount(0, word.length()) <= TRUNCATED
                ? word
                : word.substring(0, word.offsetByCodePoints(0, TRUNCATED));
    }
}
