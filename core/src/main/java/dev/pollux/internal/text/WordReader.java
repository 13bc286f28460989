package dev.pollux.internal.text;

import dev.pollux.internal.text.Words.Role;
import dev.pollux.internal.text.Words.Word;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Reads the words of one text. <em>Confined to one thread.</em> */
final class WordReader {

    /** Maximum length of a word; a longer one is compared by its prefix of this length. */
    private static final int LONGEST = 255;

    private static final int SHORTEST_PART = 3;

    /** Characters of negation inside words of scripts without spaces. */
    private static final String DENYING_CHINESE = "不没沒無无未非";

    private static final String DENYING_KOREAN = "않못없";

    /** Pronouns of German that are capitalised out of politeness. */
    private static final Set<String> POLITE = Set.of("sie", "ihr", "ihre", "ihren", "ihrem", "ihrer", "ihnen", "ihres");

    private final String text;
    private final Language language;
    private final List<Span> spans;
    private final boolean capitalsTell;
    private final boolean smallLetters;
    private final List<Word> words = new ArrayList<>();

    WordReader(String text, Language language) {
        this.text = text;
        this.language = language;
        this.spans = Span.of(text);
        this.smallLetters = text.codePoints().anyMatch(Character::isLowerCase);
        this.capitalsTell = smallLetters && hasSmallFunctionWord();
    }

    List<Word> read() {
        for (Span span : spans) {
            if (span.kind() == Span.Kind.WORD) {
                word(span);
            } else {
                for (Segments.Segment segment : Segments.of(text, span, language)) {
                    add(segment);
                }
            }
        }
        joinHyphenated();
        return words;
    }

    /** Titles capitalise every word: only beside a small function word does a capital one mean a name. */
    private boolean hasSmallFunctionWord() {
        return spans.stream()
                .filter(span -> Character.isLowerCase(text.codePointAt(span.start())))
                .anyMatch(span -> isFunction(Folding.form(shown(span))));
    }

    private void word(Span span) {
        String run = shown(span);
        if (!Character.isDigit(run.codePointAt(0))) {
            add(span.start(), span.end());
            return;
        }
        int from = 0;
        for (int end : Numbers.ends(run, language.decimalComma())) {
            number(span.start() + from, span.start() + end);
            from = end + 1; // the comma
        }
    }

    private void number(int start, int end) {
        String shown = text.substring(start, end);
        String form = limited(Numbers.form(shown, language.decimalComma()));
        int digits = Numbers.digitsEnd(shown);
        List<String> also = new ArrayList<>();
        if (digits < shown.length()) {
            also.add(Numbers.form(shown.substring(0, digits), language.decimalComma()));
            also.add(Folding.form(shown.substring(digits)));
            also.removeIf(String::isEmpty);
        }
        words.add(new Word(start, end, shown, form, form, Role.CONTENT, also, ""));
    }

    private void add(int start, int end) {
        String shown = text.substring(start, end);
        String form = limited(Folding.form(shown.indexOf('.') < 0 ? shown : shown.replace(".", "")));
        if (form.isEmpty()) {
            return;
        }
        boolean capital = Character.isUpperCase(form(shown).codePointAt(0));
        if (!isFunction(form)) {
            boolean small = form.length() == 1 && form.charAt(0) < 0x80 && !(capital && !opens(start));
            String stem = stem(form);
            words.add(new Word(
                    start, end, shown, form, stem, small ? function(form) : Role.CONTENT, also(shown, form, stem), ""));
            return;
        }
        String name = name(shown, form);
        boolean isName = capital && isName(shown, form, start);
        List<String> also = capital && !isName && opens(start) ? List.of(name) : List.of();
        words.add(new Word(
                start, end, shown, form, isName ? name : stem(form), isName ? Role.CONTENT : function(form), also, ""));
    }

    private void add(Segments.Segment segment) {
        String shown = text.substring(segment.start(), segment.end());
        String form = limited(Folding.form(shown));
        if (!form.isEmpty()) {
            boolean content = segment.content() && !isFunction(form);
            Role role = denies(form) ? Role.NEGATION : content ? Role.CONTENT : Role.FUNCTION;
            words.add(new Word(segment.start(), segment.end(), shown, form, form, role, segment.also(), ""));
        }
    }

    private Role function(String form) {
        return LanguageTable.words(language.code(), "not").contains(form) ? Role.NEGATION : Role.FUNCTION;
    }

    private boolean denies(String form) {
        String signs = language.code().equals("zh") ? DENYING_CHINESE : DENYING_KOREAN;
        return form.codePoints().anyMatch(c -> signs.indexOf(c) >= 0) || function(form) == Role.NEGATION;
    }

    private String stem(String form) {
        return Folding.folded(language.stemmer().apply(form));
    }

    /** The parts of a word with capitals inside, and its stem where a reader leaves out the accents. */
    private List<String> also(String shown, String form, String stem) {
        boolean plain = Folding.isAscii(form);
        if (plain && shown.chars().skip(1).noneMatch(Character::isUpperCase)) {
            return List.of();
        }
        Set<String> also = new LinkedHashSet<>();
        if (!plain) {
            also.add(stem(Folding.folded(form)));
        }
        int from = 0;
        for (int i = 1; i < shown.length(); i++) {
            if (Character.isUpperCase(shown.charAt(i)) && Character.isLowerCase(shown.charAt(i - 1))) {
                addPart(shown.substring(from, i), also);
                from = i;
            }
        }
        if (from > 0) {
            addPart(shown.substring(from), also);
        }
        also.remove(stem);
        return List.copyOf(also);
    }

    private void addPart(String part, Set<String> also) {
        if (part.length() >= SHORTEST_PART) {
            also.add(stem(Folding.form(part)));
        }
    }

    /** A function word as a name: in capitals, or with the first letter in capitals. */
    private static String name(String shown, String form) {
        String plain = form(shown.replace(".", ""));
        boolean capitals = plain.length() > 1 && plain.codePoints().noneMatch(Character::isLowerCase);
        return capitals ? plain : plain.substring(0, 1).toUpperCase(Locale.ROOT) + form.substring(1);
    }

    private boolean isName(String shown, String form, int start) {
        boolean capitals = shown.length() > 1 && shown.codePoints().noneMatch(Character::isLowerCase);
        if (capitals) {
            return smallLetters;
        }
        boolean polite = language.code().equals("de") && POLITE.contains(form) || form.equals("i");
        return capitalsTell && !polite && !opens(start);
    }

    /** Whether the word at {@code start} begins a sentence or clause, whose first word is capitalised for that. */
    private boolean opens(int start) {
        if (words.isEmpty()) {
            return true;
        }
        return text.substring(words.get(words.size() - 1).end(), start)
                .chars()
                .anyMatch(c -> ":.!?¿¡\"“„«‘(*#|\n".indexOf(c) >= 0);
    }

    /** Letters in their normal form, with their case. */
    private static String form(String shown) {
        return Folding.isAscii(shown) ? shown : Normalizer.normalize(shown, Normalizer.Form.NFKC);
    }

    private boolean isFunction(String form) {
        return language.functionWords().contains(form);
    }

    private static String limited(String form) {
        return form.length() <= LONGEST ? form : form.substring(0, LONGEST);
    }

    private String shown(Span span) {
        return text.substring(span.start(), span.end());
    }

    /** Gives each part of a word with hyphens the stem of the whole. */
    private void joinHyphenated() {
        for (int i = 0; i < words.size(); ) {
            int end = i + 1;
            if (end == words.size() || !isHyphen(words.get(i), words.get(end))) {
                i = end;
                continue;
            }
            StringBuilder whole = new StringBuilder(words.get(i).form());
            while (end < words.size() && whole.length() < LONGEST && isHyphen(words.get(end - 1), words.get(end))) {
                whole.append(words.get(end++).form());
            }
            if (Character.isLetter(whole.charAt(0))) {
                String stem = stem(whole.toString());
                for (int k = i; k < end; k++) {
                    Word w = words.get(k);
                    words.set(k, new Word(w.start(), w.end(), w.text(), w.form(), w.stem(), w.role(), w.also(), stem));
                }
            }
            i = end;
        }
    }

    private boolean isHyphen(Word left, Word right) {
        if (right.start() - left.end() != 1) {
            return false;
        }
        char c = text.charAt(left.end());
        return c == '-' || c == '‐' || c == '‑';
    }
}
