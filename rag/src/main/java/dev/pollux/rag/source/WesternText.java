package dev.pollux.rag.source;

import dev.pollux.internal.text.Lines;
import dev.pollux.rag.source.TextDecoding.Text;
import java.nio.charset.Charset;
import java.util.Optional;

/** Detects Windows-1252 by characters at plausible positions. */
final class WesternText {

    private static final Charset CHARSET = Charset.forName("windows-1252");

    /** Letters that are words by themselves. */
    private static final String WORDS = "àèéìòùáíóúåäöæøÀÈÉÌÒÙÁÍÓÚÅÄÖÆØ";

    /** Marks that stand inside words, too. */
    private static final String JOINING = "’–—\u00A0\u00AD·…×";

    /** In no language is a larger part of the letters outside ASCII. */
    private static final int MOST_PERCENT = 30;

    private WesternText() {}

    static Optional<Text> in(byte[] bytes) {
        Optional<String> text = TextDecoding.strictly(bytes, CHARSET).filter(WesternText::isPlausible);
        return text.map(western -> new Text(
                western,
                Optional.of("is not UTF-8 and is read as Windows-1252; line "
                        + (new Lines(western).at(first(western)) + 1) + " is the first that differs")));
    }

    private static int first(String text) {
        int first = 0;
        while (text.charAt(first) < 128) {
            first++;
        }
        return first;
    }

    private static boolean isPlausible(String text) {
        int letters = 0;
        int high = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            letters += Character.isLetter(c) ? 1 : 0;
            high += c > 127 && Character.isLetter(c) ? 1 : 0;
            if (c == 0 || c > 127 && !isPlausible(text, i)) {
                return false;
            }
        }
        return 100L * high <= (long) MOST_PERCENT * letters || high == 1;
    }

    private static boolean isPlausible(String text, int i) {
        char c = text.charAt(i);
        boolean before = i > 0 && Character.isLetter(text.charAt(i - 1));
        boolean after = i + 1 < text.length() && Character.isLetter(text.charAt(i + 1));
        if (c == 'ÿ' || c == 'Ÿ') {
            return false;
        }
        if (!Character.isLetter(c) || c == 'ª' || c == 'º' || c == 'µ') {
            return !before || !after || JOINING.indexOf(c) >= 0;
        }
        boolean capitalInside = before && Character.isUpperCase(c) && Character.isLowerCase(text.charAt(i - 1));
        return before || after ? !capitalInside : WORDS.indexOf(c) >= 0;
    }
}
