package dev.pollux.internal.text;

import java.lang.Character.UnicodeScript;
import java.text.Normalizer;
import java.util.Locale;
import java.util.Map;

/** Normal forms that make spelling variants of a word equal. <em>Stateless, thread-safe.</em> */
final class Folding {

    /*
     * form:   NFKC (Unicode Standard Annex 15), so that letters of another design, full-width letters, ligatures and
     *         superscripts are the letters they stand for; without format characters; lower case, ß as ss, one sigma,
     *         the i of every I; Greek without
     *         accents, as its lists of words are.
     * folded: the form without marks, where a reader leaves them out and no other letter comes of it: on Latin and Greek
     *         letters, stress and ё in Cyrillic, points of Arabic and Hebrew. The й of Cyrillic and the vowels of Indic
     *         and Thai script are letters and stay.
     */

    /** Letters of one base letter that Unicode does not take apart. */
    private static final Map<Character, String> LETTERS = Map.ofEntries(
            Map.entry('ø', "o"),
            Map.entry('ł', "l"),
            Map.entry('đ', "d"),
            Map.entry('ð', "d"),
            Map.entry('þ', "th"),
            Map.entry('æ', "ae"),
            Map.entry('œ', "oe"),
            Map.entry('ħ', "h"),
            Map.entry('ŧ', "t"),
            Map.entry('ı', "i"),
            Map.entry('ŋ', "n"));

    private static final String STRESSED = "аеиоуыэюяіїє";

    private Folding() {}

    /** The form of a word for exact comparison. */
    static String form(String word) {
        if (isAscii(word)) {
            String plain = word.indexOf('\'') < 0 ? word : word.replace("'", "");
            return plain.toLowerCase(Locale.ROOT);
        }
        String lower = Normalizer.normalize(word, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
        StringBuilder form = new StringBuilder(lower.length());
        lower.codePoints().filter(c -> Character.getType(c) != Character.FORMAT).forEach(c -> {
            switch (c) {
                case 'ß' -> form.append("ss");
                case 'ς' -> form.append('σ');
                case 'ـ', 'ʼ', '’', '\'', '＇' -> {} // the stroke that lengthens Arabic, apostrophes within a word
                default -> form.appendCodePoint(c);
            }
        });
        // Lower case of İ is an i with a dot above it.
        int dotted = form.indexOf("i\u0307");
        String one = dotted < 0 ? form.toString() : form.toString().replace("i\u0307", "i");
        return isGreek(one) ? folded(one) : Normalizer.normalize(one, Normalizer.Form.NFC);
    }

    private static boolean isGreek(String form) {
        return !form.isEmpty() && UnicodeScript.of(form.codePointAt(0)) == UnicodeScript.GREEK;
    }

    /** A form without marks. */
    static String folded(String form) {
        if (isAscii(form)) {
            return form;
        }
        StringBuilder folded = new StringBuilder(form.length());
        int base = 0;
        for (int c :
                Normalizer.normalize(form, Normalizer.Form.NFD).codePoints().toArray()) {
            if (Character.getType(c) == Character.NON_SPACING_MARK) {
                if (!isDropped(base, c)) {
                    folded.appendCodePoint(c);
                }
            } else {
                base = c;
                String letter = c < 0x180 ? LETTERS.get((char) c) : null;
                folded.append(letter == null ? Character.toString(c) : letter);
            }
        }
        return Normalizer.normalize(folded, Normalizer.Form.NFC);
    }

    private static boolean isDropped(int base, int mark) {
        return switch (UnicodeScript.of(base)) {
            case LATIN, GREEK, ARABIC, HEBREW -> true;
            case CYRILLIC ->
                (mark == 0x301 || mark == 0x300) && STRESSED.indexOf(base) >= 0 || mark == 0x308 && base == 'е';
            default -> false;
        };
    }

    static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }
}
