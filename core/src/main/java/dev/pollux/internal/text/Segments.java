package dev.pollux.internal.text;

import dev.pollux.internal.text.Span.Kind;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Segments text in a script without spaces into words. <em>Stateless, thread-safe.</em> */
final class Segments {

    /*
     * Han       pairs of signs that overlap, as dictionaries are large and most words have two signs; a sign alone is one
     * Hiragana  the same, less the pairs of particles and endings; one or two signs alone are a particle
     * Katakana  one word
     * Hangul    a word between spaces without the particles and endings it has taken, in overlapping pairs, so that a noun
     *           is found in a compound
     * Thai      the dictionary of the JDK; without it as the others
     * others    pairs of syllables: a sign with its marks, and a vowel that is written before it
     */

    /** A word, or a pair of signs; {@code also} as in {@link Words.Word}. */
    record Segment(int start, int end, boolean content, List<String> also) {}

    private static final String BEFORE = "เแโใไເແໂໃໄ";

    private static final int KHMER_JOINER = 0x17D2;

    private static final int MYANMAR_JOINER = 0x1039;

    /** Chinese grammatical characters; a pair with one carries no topic. */
    private static final String GRAMMAR = "的是了吗嗎呢吧着过過把被这這那哪谁誰什么麼怎";

    /** Longest first. */
    private static final List<String> PARTICLES =
            List.of(("에서부터 으로부터 입니다만 에게서는 하였습니다 되었습니다 했습니다 됩니다 합니다 입니다 습니다 습니까 입니까 합니까 됩니까"
                            + " 이라는 이라고 에서는 에서도 에서의 으로는 으로의 으로써 으로서 에게는 에게서 까지는 까지의 부터는 인가요 이에요"
                            + " 에서 에게 에는 에도 에만 까지 부터 으로 로서 로써 한테 께서 보다 처럼 마다 조차 마저 이나 이란 이라 이며 이고"
                            + " 와의 과의 하고 라고 라는 니다 예요 은 는 이 가 을 를 의 에 로 와 과 도 만 께 나 야")
                    .split(" "));

    private Segments() {}

    static List<Segment> of(String text, Span span, Language language) {
        List<Segment> segments = new ArrayList<>();
        switch (span.kind()) {
            case HAN, HIRAGANA -> pairs(text, span, language.code().equals("zh") ? GRAMMAR : "", segments);
            case HANGUL -> korean(text, span, segments);
            case THAI -> thai(text, span, segments);
            case SYLLABLES -> pairs(syllables(text, span.start(), span.end()), segments);
            default -> segments.add(new Segment(span.start(), span.end(), true, List.of()));
        }
        return segments;
    }

    private static void pairs(String text, Span span, String grammar, List<Segment> segments) {
        List<Integer> signs = new ArrayList<>();
        for (int i = span.start(); i < span.end(); i += Character.charCount(text.codePointAt(i))) {
            signs.add(i);
        }
        signs.add(span.end());
        boolean kana = span.kind() == Kind.HIRAGANA;
        if (signs.size() <= (kana ? 3 : 2)) {
            segments.add(new Segment(span.start(), span.end(), !kana, List.of()));
            return;
        }
        for (int i = 0; i + 2 < signs.size(); i++) {
            int from = signs.get(i);
            int middle = signs.get(i + 1);
            int to = signs.get(i + 2);
            boolean content = text.substring(from, to).chars().noneMatch(c -> grammar.indexOf(c) >= 0);
            List<String> also = kana
                    ? List.of()
                    : List.of(Folding.form(text.substring(from, middle)), Folding.form(text.substring(middle, to)));
            segments.add(new Segment(from, to, content, also));
        }
    }

    private static void korean(String text, Span span, List<Segment> segments) {
        String word = text.substring(span.start(), span.end());
        int length = stripped(word);
        if (length >= 2) {
            for (int i = 0; i + 2 <= length; i++) {
                segments.add(new Segment(span.start() + i, span.start() + i + 2, true, List.of()));
            }
            return;
        }
        boolean particle = word.length() == 1 && PARTICLES.contains(word);
        List<String> noun = word.length() == 2 ? List.of(Folding.form(word.substring(0, 1))) : List.of();
        segments.add(new Segment(span.start(), span.end(), !particle, noun));
    }

    /** The length of a word without its particles; at least 1. */
    private static int stripped(String word) {
        int length = word.length();
        for (int times = 0; times < 2; times++) {
            String rest = word.substring(0, length);
            for (String particle : PARTICLES) {
                if (rest.length() > particle.length() && rest.endsWith(particle)) {
                    length -= particle.length();
                    break;
                }
            }
            if (length == rest.length() || length <= 2) {
                break;
            }
        }
        return length;
    }

    private static void thai(String text, Span span, List<Segment> segments) {
        if (!Dictionary.THERE) {
            pairs(syllables(text, span.start(), span.end()), segments);
            return;
        }
        BreakIterator words = BreakIterator.getWordInstance(Dictionary.THAI);
        words.setText(text.substring(span.start(), span.end()));
        int from = 0;
        for (int to = words.next(); to != BreakIterator.DONE; to = words.next()) {
            segments.add(new Segment(span.start() + from, span.start() + to, to - from > 1, List.of()));
            from = to;
        }
    }

    /** The beginnings of the syllables, and the end. */
    private static List<Integer> syllables(String text, int start, int end) {
        List<Integer> begins = new ArrayList<>();
        boolean joined = false;
        for (int i = start; i < end; ) {
            int c = text.codePointAt(i);
            int type = Character.getType(c);
            boolean mark = type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
            if (!mark && !joined) {
                begins.add(i);
            }
            joined = BEFORE.indexOf(c) >= 0 || c == KHMER_JOINER || c == MYANMAR_JOINER || joined && mark;
            i += Character.charCount(c);
        }
        if (begins.isEmpty()) {
            begins.add(start);
        }
        begins.add(end);
        return begins;
    }

    private static void pairs(List<Integer> begins, List<Segment> segments) {
        int last = begins.size() - 1;
        for (int i = 0; i < Math.max(1, last - 1); i++) {
            segments.add(new Segment(begins.get(i), begins.get(Math.min(i + 2, last)), true, List.of()));
        }
    }

    /** Whether the JDK parts Thai words; a runtime image may lack the module that does. */
    private static final class Dictionary {

        private static final Locale THAI = Locale.forLanguageTag("th");

        private static final boolean THERE = parts();

        private static boolean parts() {
            BreakIterator words = BreakIterator.getWordInstance(THAI);
            String twoWords = "ภาษาไทย";
            words.setText(twoWords);
            return words.next() < twoWords.length();
        }
    }
}
