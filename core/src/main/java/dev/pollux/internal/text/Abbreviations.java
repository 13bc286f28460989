package dev.pollux.internal.text;

import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/** Abbreviations of English, German, French, Spanish and Italian, by whether a sentence may end with them. */
final class Abbreviations {

    /** Something always follows: a name, an example, the other part. */
    private static final Set<String> BEFORE_A_WORD = words(
            "dr mr mrs ms prof messrs capt sgt cmdr lt st mt vs cf viz approx ca circa eg ie e.g i.e incl excl esp hr frl hrn dipl"
                    + " z.b d.h bzw ggf vgl inkl exkl evtl sog geb gest zzgl abzgl einschl bspw zb dh i.d.r u.u m.e z.t"
                    + " s.o s.u v.a mme mlle mm par.ex p.ex c.-à-d sr sra srta dra d.ª dña ud uds p.ej ej aprox avda ee tsd mio mrd"
                    + " dott dott.ssa sig sig.ra sig.na avv p.es");

    /** A number follows, or else the word is not meant as an abbreviation. */
    private static final Set<String> BEFORE_A_NUMBER = words(
            "no nos nr nrn fig figs abb eq eqs sec ch chap kap vol bd pp pg p s tab art abs ziff anm núm num cap pág págs pag"
                    + " t r n bl bldg rm apt ver v tel fax ext jan feb mar apr jun jul aug sep sept oct okt nov dec dez janv"
                    + " févr avr juil déc aufl rn rz zeile");

    /** Of these, those that are no other word: what follows may be no number. */
    private static final Set<String> NO_OTHER_WORD =
            words("nr nrn fig figs abb eq eqs chap kap vol bd pp pg núm pág págs bldg apt aufl ziff p s");

    /** What ends a sentence where a capital letter follows. */
    private static final Set<String> AT_AN_END = words(
            "etc inc ltd co corp llc plc bros jr dept max min resp al ed eds usw ff u.a u.ä o.ä u.v.m u.dgl s.a s.l s.p.a s.r.l"
                    + " e.v a.m p.m u.s u.k e.u d.c n.chr v.chr n.y ecc pl sg std sek stk univ uu bzgl betr entspr"
                    + " allg höchst dgl dergl ph.d b.a m.a b.sc m.sc op cit ibid avg qty misc hrs mgr mgmt assn intl natl ft av");

    private static final Set<String> MONTHS = words(
            "januar jänner februar märz april mai juni juli august september oktober november dezember jan feb mär apr jun jul"
                    + " aug sep sept okt nov dez");

    /** After these a number with a point is an ordinal, in German. */
    private static final Set<String> BEFORE_AN_ORDINAL =
            words("am der dem des den die das vom zum zur im beim seit bis ab jeder jedem jeden ihr ihre sein seine");

    private Abbreviations() {}

    private static Set<String> words(String list) {
        return Set.copyOf(Arrays.asList(list.split(" ")));
    }

    /**
     * Whether a point after {@code word} belongs to the word and ends no sentence.
     *
     * @param word the text before the full stop, including inner points, without spaces between them
     * @param next the first character of what follows that is no opening mark
     */
    static boolean bind(String word, int next) {
        String lower = word.toLowerCase(Locale.ROOT);
        boolean number = Character.isDigit(next);
        if (BEFORE_A_WORD.contains(lower)) {
            return true;
        }
        if (BEFORE_A_NUMBER.contains(lower)) {
            return number || Character.isLowerCase(next) && NO_OTHER_WORD.contains(lower);
        }
        if (AT_AN_END.contains(lower) || isPointed(lower) || hasNoVowel(word)) {
            return !Character.isUpperCase(next);
        }
        return false;
    }

    /** Whether a number with a point is an ordinal between the words around it. */
    static boolean isOrdinal(String before, String after) {
        return BEFORE_AN_ORDINAL.contains(before.toLowerCase(Locale.ROOT))
                || MONTHS.contains(after.toLowerCase(Locale.ROOT));
    }

    /** One or two letters between points, as in {@code n.Chr}. */
    private static boolean isPointed(String word) {
        int letters = 0;
        int parts = 1;
        for (int i = 0; i < word.length(); i++) {
            letters = word.charAt(i) == '.' ? 0 : letters + 1;
            parts += word.charAt(i) == '.' ? 1 : 0;
            if (letters > 3
                    || letters > 2 && i + 1 < word.length()
                    || !(Character.isLetter(word.charAt(i)) || word.charAt(i) == '.')) {
                return false;
            }
        }
        return parts > 1;
    }

    /** {@code mgmt}, {@code pkt}: small Latin letters that cannot be spoken; in capitals it is an acronym. */
    private static boolean hasNoVowel(String word) {
        return word.length() > 1
                && word.length() <= 5
                && word.chars().allMatch(c -> c >= 'a' && c <= 'z' && "aeiouy".indexOf(c) < 0)
                && !Set.of(
                                "npm", "css", "sql", "html", "ms", "mm", "cm", "km", "kg", "mb", "gb", "kb", "tb", "px",
                                "hz")
                        .contains(word);
    }
}
