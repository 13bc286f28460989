package dev.pollux.twin;

import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.Block.Item;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.WordSets;
import dev.pollux.twin.EvidenceFinder.Found;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Extends the sentences with the highest scores to excerpts. <em>Confined to one thread.</em> */
final class Excerpts {

    /*
     * A sentence is quoted with the smallest context that answers:
     *
     *   sentence               excerpt
     *   list item              the whole list with its lead-in if it is ordered and the question asks how, or if several
     *                          items or the lead-in have high scores; otherwise, the item and its lead-in
     *   table row              the row with the column names
     *   answer to a question   the answer, whole if it is short
     *   lead-in with a colon   the sentence with the code, list or table that it introduces; alone it states nothing
     *   definition             the whole definition with its term
     *   short block quote      the whole quote
     *   prose                  the sentence; previous ones while it starts with a pronoun; up to two next ones that
     *                          continue it
     *
     * Code is evidence only if the question asks for code. A score below FAR * best is not quoted.
     */

    /** Maximum length in characters of a list that is quoted whole, about thirty lines. */
    private static final int LONGEST_LIST = 2_000;

    private static final int LONGEST_ANSWER = 700;

    private static final int LONGEST_PROSE = 500;

    /** Items whose scores are at least this share of the best score count as equal. */
    private static final double ALIKE = 0.85;

    private static final double FAR = 0.6;

    /** Excerpts whose best sentences share at least this part of their words are duplicates. */
    private static final double SAME = 0.8;

    private final Asked asked;
    private final List<Found> ranked;
    private final IdentityHashMap<SentenceSpan, Double> scores = new IdentityHashMap<>();

    /** @param ranked every possible sentence of evidence, best first */
    Excerpts(String question, List<Found> ranked) {
        this.asked = Asked.of(question);
        this.ranked = ranked;
        ranked.forEach(found -> scores.put(found.line(), found.score()));
    }

    /** The best excerpts with a score of at least {@code least}, at most {@code most}, without duplicates. */
    List<Found> best(int most, double least) {
        List<Found> best = new ArrayList<>();
        Set<SentenceSpan> shown = new HashSet<>();
        for (Found found : ranked) {
            boolean far = !best.isEmpty() && found.score() < FAR * best.get(0).score();
            if (best.size() == most || found.score() < least || far) {
                break;
            }
            if (shown.contains(found.line()) || best.stream().anyMatch(other -> same(other.line(), found.line()))) {
                continue;
            }
            Excerpt excerpt = excerpt(found);
            List<SentenceSpan> lines = found.source().lines().subList(excerpt.from(), excerpt.to());
            boolean says = lines.stream().anyMatch(line -> mayStand(line, excerpt));
            if (says && lines.stream().noneMatch(shown::contains)) {
                best.add(new Found(found.source(), found.line(), found.score(), excerpt));
                shown.addAll(lines);
            }
        }
        return best;
    }

    /**
     * Whether a line justifies an excerpt: it is neither code that the question does not ask for nor a lead-in without
     * content.
     */
    private boolean mayStand(SentenceSpan line, Excerpt excerpt) {
        boolean alone = excerpt.to() - excerpt.from() == 1;
        return line.range().kind() != Sentence.Kind.CODE || asked.forCode() || !alone;
    }

    private Excerpt excerpt(Found found) {
        EvidencePassage source = found.source();
        SentenceSpan line = found.line();
        Block.Place place = line.range().block().place();
        if (line.range().kind() == Sentence.Kind.TABLE_ROW) {
            return Excerpt.of(line);
        }
        if (leads(source, line)) {
            return led(source, line);
        }
        if (line.range().kind() == Sentence.Kind.CODE) {
            return code(source, line);
        }
        if (line.context().answers()) {
            return answer(source, line);
        }
        if (place.item() != null) {
            return list(source, line, found.score());
        }
        if (place.defines()) {
            return definition(source, line);
        }
        if (place.quotes() > 0) {
            Excerpt whole = block(source, line);
            return whole.quote().length() <= LONGEST_PROSE ? whole : prose(source, line);
        }
        return prose(source, line);
    }

    /** Whether this line introduces the block of the next line. */
    private static boolean leads(EvidencePassage source, SentenceSpan line) {
        return line.index() + 1 < source.lines().size()
                && source.lines().stream()
                        .skip(line.index() + 1L)
                        .limit(2) // the head of the table is between them
                        .anyMatch(next -> next.context().lead() == line.index());
    }

    /** A lead-in with the block that it introduces. */
    private Excerpt led(EvidencePassage source, SentenceSpan line) {
        List<SentenceSpan> lines = source.lines();
        int to = line.index() + 1;
        SentenceSpan first = lines.get(Math.min(to, lines.size() - 1));
        if (first.range().block().place().item() != null) {
            return list(source, first, scores.getOrDefault(line, 0.0));
        }
        while (to < lines.size() && isLed(line, lines.get(to))) {
            to++;
        }
        Excerpt whole = Excerpt.of(source, line.index(), to);
        return whole.quote().length() <= LONGEST_LIST ? whole : prose(source, line);
    }

    private static boolean isLed(SentenceSpan lead, SentenceSpan line) {
        return line.context().lead() == lead.index() || line.range().block().kind() == Block.Kind.TABLE_HEAD;
    }

    private static Excerpt code(EvidencePassage source, SentenceSpan line) {
        int lead = line.context().lead();
        int from = line.index();
        int to = from + 1;
        List<SentenceSpan> lines = source.lines();
        while (from > 0
                && lines.get(from - 1).range().block().equals(line.range().block())) {
            from--;
        }
        while (to < lines.size()
                && lines.get(to).range().block().equals(line.range().block())) {
            to++;
        }
        Excerpt whole = Excerpt.of(source, lead >= 0 ? lead : from, to);
        boolean alone = lead < 0 && to - from == 1;
        return alone || whole.quote().length() > LONGEST_LIST ? Excerpt.of(line) : whole;
    }

    /** The list of an item, or, if the item's score is distinctly higher, only the item and its lead-in. */
    private Excerpt list(EvidencePassage source, SentenceSpan line, double score) {
        List<Item> items = line.range().block().place().items();
        for (Item item : items) { // the outermost list below the maximum length
            int from = line.index();
            int to = line.index() + 1;
            for (int i = 0; i < source.lines().size(); i++) {
                if (isIn(source.lines().get(i), item.list())) {
                    from = Math.min(from, i);
                    to = Math.max(to, i + 1);
                }
            }
            int lead = source.lines().get(from).context().lead();
            int begin = lead >= 0 && lead == from - 1 && !isHeading(source, lead) ? lead : from;
            Excerpt whole = Excerpt.of(source, begin, to);
            if (whole.quote().length() <= LONGEST_LIST) {
                return isWhole(source, item, score) ? whole : item(source, item, line);
            }
        }
        return item(source, items.get(items.size() - 1), line);
    }

    private static boolean isHeading(EvidencePassage source, int index) {
        return source.lines().get(index).range().kind() == Sentence.Kind.HEADING;
    }

    private static boolean isIn(SentenceSpan line, int list) {
        return line.range().block().place().items().stream().anyMatch(item -> item.list() == list);
    }

    /** Whether a list is quoted whole: steps if the question asks how, or items with similar scores. */
    private boolean isWhole(EvidencePassage source, Item best, double score) {
        if (best.number() > 0 && asked.how()) {
            return true;
        }
        Set<Integer> all = new HashSet<>();
        Set<Integer> alike = new HashSet<>();
        for (SentenceSpan other : source.lines()) {
            for (Item item : other.range().block().place().items()) {
                if (item.list() == best.list()) {
                    all.add(item.line());
                    if (scores.getOrDefault(other, 0.0) >= ALIKE * score) {
                        alike.add(item.line());
                    }
                }
            }
        }
        return score >= ALIKE * ranked.get(0).score() && alike.size() > 1 && alike.size() * 2 >= all.size();
    }

    /** An item with its nested items, after its lead-in. */
    private static Excerpt item(EvidencePassage source, Item best, SentenceSpan line) {
        List<SentenceSpan> lines = source.lines();
        int from = line.index();
        int to = from + 1;
        while (from > 0 && isOf(lines.get(from - 1), best)) {
            from--;
        }
        while (to < lines.size() && isOf(lines.get(to), best)) {
            to++;
        }
        Excerpt whole = Excerpt.of(source, from, to);
        Excerpt shown = whole.quote().length() <= LONGEST_ANSWER ? whole : Excerpt.of(line);
        int lead = lines.get(from).context().lead();
        boolean led = lead >= 0 && !isHeading(source, lead);
        boolean bullet = best.number() == 0 && !shown.text().startsWith(best.mark());
        String text = led && bullet ? best.mark() + " " + shown.text() : shown.text();
        return shown.showing(led ? lines.get(lead).text() + "\n" + text : text);
    }

    private static boolean isOf(SentenceSpan line, Item item) {
        return line.range().block().place().items().stream()
                .anyMatch(other -> other.list() == item.list() && other.line() == item.line());
    }

    /** The whole answer if it is short, else its paragraph, else its sentence; a very short answer includes its question. */
    private Excerpt answer(EvidencePassage source, SentenceSpan line) {
        List<SentenceSpan> lines = source.lines();
        int from = line.index();
        int to = from + 1;
        while (from > 0 && answersSame(lines.get(from - 1), line)) {
            from--;
        }
        while (to < lines.size() && answersSame(lines.get(to), line)) {
            to++;
        }
        Excerpt whole = Excerpt.of(source, from, to);
        if (whole.quote().length() > LONGEST_ANSWER) {
            return line.range().block().place().item() != null
                    ? list(source, line, scores.getOrDefault(line, 0.0))
                    : prose(source, line);
        }
        boolean curt = line.words().size() == 1
                && to - from == 1
                && !line.context().text().isEmpty();
        return curt ? whole.showing(line.context().text() + " " + line.text()) : whole;
    }

    private static boolean answersSame(SentenceSpan other, SentenceSpan line) {
        return other.context().question() == line.context().question()
                && !other.context().asks()
                && other.section().equals(line.section())
                && (other.range().kind() != Sentence.Kind.HEADING);
    }

    /** A definition with its term. */
    private static Excerpt definition(EvidencePassage source, SentenceSpan line) {
        Excerpt whole = block(source, line);
        Excerpt shown = whole.quote().length() <= LONGEST_PROSE ? whole : Excerpt.of(line);
        return shown.showing(line.context().text() + ": " + shown.text());
    }

    /** The whole block of a line. */
    private static Excerpt block(EvidencePassage source, SentenceSpan line) {
        int from = line.index();
        int to = from + 1;
        while (from > 0 && isNeighbour(source.lines().get(from - 1), line)) {
            from--;
        }
        while (to < source.lines().size() && isNeighbour(source.lines().get(to), line)) {
            to++;
        }
        return Excerpt.of(source, from, to);
    }

    /** A sentence with the previous ones that it refers to and at most two next ones that continue it. */
    private Excerpt prose(EvidencePassage source, SentenceSpan line) {
        List<SentenceSpan> lines = source.lines();
        int from = line.index();
        int to = from + 1;
        int length = line.quote().length();
        while (from > 0
                && isNeighbour(lines.get(from - 1), lines.get(from))
                && Asked.leansBack(lines.get(from).text())
                && length + lines.get(from - 1).quote().length() <= LONGEST_PROSE) {
            from--;
            length += lines.get(from).quote().length();
        }
        while (to < lines.size()
                && isNeighbour(lines.get(to), lines.get(to - 1))
                && asked.goesOn(lines.get(to).text())
                && to - line.index() <= 2
                && length + lines.get(to).quote().length() <= LONGEST_PROSE) {
            length += lines.get(to).quote().length();
            to++;
        }
        return Excerpt.of(source, from, to);
    }

    private static boolean isNeighbour(SentenceSpan line, SentenceSpan other) {
        return line.range().block().equals(other.range().block())
                && !line.context().asks();
    }

    private static boolean same(SentenceSpan a, SentenceSpan b) {
        Set<String> first = new HashSet<>(a.stems());
        first.addAll(a.context().stems());
        Set<String> second = new HashSet<>(b.stems());
        second.addAll(b.context().stems());
        return WordSets.jaccard(first, second) >= SAME;
    }
}
