package dev.pollux.twin;

import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import dev.pollux.internal.text.WordSets;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Turns the model's text into an answer: each sentence is checked as soon as the next one starts, then cited or dropped.
 * <em>Confined to one thread.</em>
 */
final class AnswerVerifier {

    /*
     * Invariant: a passed sentence is never retracted. Every criterion that could exclude it is therefore evaluated first:
     * its support, its relevance, and the groundedness of the text up to it. A true sentence after false ones is held back
     * until more sentences pass; if none do, it is not shown.
     *
     * A sentence is complete when the next one has a letter or a digit; before that, its end and its marks are uncertain.
     * The whole text is then parsed again, because code and tables depend on earlier text, and it is short. Text before the
     * end of the last handled sentence is skipped.
     */

    private static final Pattern LIST_MARK = Pattern.compile("(?:[-*+•]|\\d{1,9}[.)])[ \\t]+$");

    /** Sentences that share at least this part of their content words are duplicates. */
    private static final double SAME = 0.8;

    /**
     * Minimum of (words supported by passages with evidence) / (words of the answer); below it, the text answers another
     * question.
     */
    private static final double MIN_RELEVANCE = 0.5;

    /** Number of consecutive dropped sentences that stops the model. */
    private static final int MOST_DROPPED = 2;

    private final Grounding grounding;
    private final Completion completion;
    private final int evidence;
    private final IdentityHashMap<SentenceSpan, Integer> numbers = new IdentityHashMap<>();
    private final Map<Integer, Citation> citations = new TreeMap<>();
    private final List<DroppedSentence> dropped = new ArrayList<>();
    private final List<Set<String>> seen = new ArrayList<>();
    private final StringBuilder written = new StringBuilder();
    private final StringBuilder passed = new StringBuilder();
    private final double minGroundedness;
    private int next;
    private int shown; // number of shown characters of the passed text
    private int handled; // number of handled characters of the text without marks
    private boolean mayEnd; // whether a sentence may have ended since the last check
    private String gap = "";
    private String previous = "";
    private Optional<Answer.Stop> stop = Optional.empty();
    private int droppedInARow;
    private int words;
    private int wordsSupported;
    private int wordsPassed;
    private int wordsOnEvidence;

    /**
     * @param found the evidence, numbered from 1 in this order
     * @param packed the passages in the prompt
     * @param minGroundedness minimum share of supported words before text is shown
     */
    AnswerVerifier(
            Grounding grounding,
            Completion completion,
            List<EvidenceFinder.Found> found,
            List<TwinPrompt.Packed> packed,
            double minGroundedness) {
        this.grounding = grounding;
        this.minGroundedness = minGroundedness;
        this.completion = completion;
        this.evidence = found.size();
        found.forEach(f -> numbers.put(f.line(), numbers.size() + 1));
        this.next = Math.max(
                        evidence,
                        packed.stream()
                                .mapToInt(TwinPrompt.Packed::number)
                                .max()
                                .orElse(0))
                + 1;
    }

    /** Adds text of the model; returns the text that passes the check as a result, with its marks; may be empty. */
    String append(String delta) {
        if (stop.isPresent()) {
            return "";
        }
        written.append(delta);
        mayEnd |= delta.chars().anyMatch(c -> ".!?…。！？:;|\n".indexOf(c) >= 0);
        String text = mayEnd ? read(whole(), true, true) : "";
        if (stop.isEmpty() && Loops.endIn(written.substring(Math.max(0, written.length() - Loops.REACH)))) {
            stop = Optional.of(Answer.Stop.REPEATED);
            String open = CitationMarkers.of(written.toString()).text();
            drop(open.substring(Math.min(handled, open.length())).strip(), "it turns in circles");
        }
        return text;
    }

    /**
     * Ends the text; returns the rest that passes the check.
     *
     * @param finished whether the model ended by itself; otherwise an unfinished last sentence is dropped
     */
    String end(boolean finished) {
        return stop.isPresent() ? "" : read(written.toString(), false, finished);
    }

    /** Why the model must stop; empty while it may continue. */
    Optional<Answer.Stop> stop() {
        return stop;
    }

    /** The shown text. */
    String text() {
        return passed.substring(0, shown);
    }

    List<Citation> citations() {
        return List.copyOf(citations.values());
    }

    List<DroppedSentence> dropped() {
        return List.copyOf(dropped);
    }

    /** (words that passages support) / (words written). */
    double groundedness() {
        return words == 0 ? (dropped.isEmpty() ? 1 : 0) : (double) wordsSupported / words;
    }

    /** The text without an incomplete mark at its end. */
    private String whole() {
        int open = written.lastIndexOf("[");
        boolean pending =
                open >= 0 && written.indexOf("]", open) < 0 && written.length() - open <= CitationMarkers.LONGEST;
        return pending ? written.substring(0, open) : written.toString();
    }

    /** @param open whether more text may follow, so that the last sentence is not checked yet */
    private String read(String soFar, boolean open, boolean finished) {
        CitationMarkers marks = CitationMarkers.of(soFar);
        String text = marks.text();
        List<Sentence> sentences = Sentences.of(text);
        List<List<Integer>> cited = cited(marks, sentences);
        int last = sentences.size() - 1;
        for (int i = 0; i <= last && stop.isEmpty(); i++) {
            Sentence sentence = sentences.get(i);
            if (sentence.start() < handled) {
                continue;
            }
            if (open && (i == last || isCodeOpen(text.substring(sentence.start())))) {
                return show();
            }
            gap = wider(gap, gap(text.substring(handled, sentence.start())));
            handled = sentence.end();
            if (sentence.kind() != Sentence.Kind.HEADING) {
                boolean unfinished = !finished && i == last && !isFinished(text.substring(sentence.start()));
                take(sentence, sentence.of(text), cited.get(i), unfinished);
            }
        }
        mayEnd = false;
        return show();
    }

    private String show() {
        int from = shown;
        if (shown > 0 || groundedness() >= minGroundedness) {
            shown = passed.length();
        }
        return passed.substring(from, shown);
    }

    private static boolean isCodeOpen(String text) {
        return text.chars().filter(c -> c == '`').count() % 2 != 0;
    }

    private void take(Sentence sentence, String text, List<Integer> cited, boolean unfinished) {
        Grounding.Verdict verdict = grounding.check(text, cited, previous);
        words += verdict.words();
        if (repeats(Words.contentStems(text))) {
            drop(text, "it repeats an earlier sentence");
            stop = Optional.of(Answer.Stop.REPEATED);
            return;
        }
        String reason = unfinished ? "it is not finished" : verdict.reason();
        if (!reason.isEmpty()) {
            drop(text, reason);
            return;
        }
        wordsSupported += verdict.words();
        boolean onEvidence =
                verdict.supports().stream().anyMatch(support -> support.packed().number() <= evidence);
        int relevant = wordsOnEvidence + (onEvidence ? verdict.words() : 0);
        if (relevant < MIN_RELEVANCE * (wordsPassed + verdict.words())) {
            drop(text, "it is on another matter than the evidence");
            return;
        }
        wordsPassed += verdict.words();
        wordsOnEvidence = relevant;
        pass(sentence, text, verdict.supports());
    }

    private void drop(String text, String reason) {
        dropped.add(new DroppedSentence(text, reason));
        if (++droppedInARow == MOST_DROPPED && stop.isEmpty()) {
            stop = Optional.of(Answer.Stop.UNSUPPORTED);
        }
    }

    /** Appends the sentence with its marks. */
    private void pass(Sentence sentence, String text, List<Grounding.Support> supports) {
        droppedInARow = 0;
        previous = text;
        TreeSet<Integer> marks = new TreeSet<>();
        for (Grounding.Support support : supports) {
            int number = number(support);
            citations.putIfAbsent(number, support.packed().source().cite(number, support.line()));
            marks.add(number);
        }
        String mark = marks.stream().map(n -> "[" + n + "]").collect(Collectors.joining("", " ", ""));
        passed.append(passed.isEmpty() ? gap.stripLeading() : gap);
        gap = "";
        if (sentence.kind() == Sentence.Kind.CODE) {
            passed.append("```\n").append(text).append("\n```\n").append(mark.strip());
        } else {
            int end = text.length();
            while (end > 0 && ".!?…:".indexOf(text.charAt(end - 1)) >= 0) {
                end--;
            }
            passed.append(text, 0, end).append(mark).append(text, end, text.length());
        }
        if (completion.with(text, supports)) {
            stop = Optional.of(Answer.Stop.COMPLETE);
        }
    }

    /** Whether an earlier sentence is the same except for a word or two, as in a model's loop. */
    private boolean repeats(Set<String> stems) {
        for (Set<String> earlier : seen) {
            if (WordSets.jaccard(stems, earlier) >= SAME) {
                return true;
            }
        }
        seen.add(stems);
        return false;
    }

    /**
     * Numbers a citation: evidence keeps its number; the first cited sentence of another passage gets the passage's; others
     * follow.
     */
    private int number(Grounding.Support support) {
        return numbers.computeIfAbsent(support.line(), line -> {
            int passage = support.packed().number();
            return passage > evidence && !citations.containsKey(passage) ? passage : next++;
        });
    }

    /** The mark numbers of each sentence: those inside it, after it, and at the start of its line. */
    private static List<List<Integer>> cited(CitationMarkers marks, List<Sentence> sentences) {
        List<List<Integer>> cited = new ArrayList<>();
        sentences.forEach(sentence -> cited.add(new ArrayList<>()));
        for (CitationMarkers.Mark mark : marks.marks()) {
            int owner = -1;
            while (owner + 1 < sentences.size() && sentences.get(owner + 1).start() < mark.position()) {
                owner++;
            }
            boolean opensLine = owner < 0
                    || mark.position() > sentences.get(owner).end()
                            && marks.text()
                                    .substring(sentences.get(owner).end(), mark.position())
                                    .contains("\n");
            owner += opensLine && owner + 1 < sentences.size() ? 1 : 0;
            if (owner >= 0) {
                cited.get(owner).addAll(mark.numbers());
            }
        }
        return cited;
    }

    private static boolean isFinished(String rest) {
        String end = rest.strip();
        int last = end.length() - 1;
        while (last > 0 && "\"”’')*_`".indexOf(end.charAt(last)) >= 0) {
            last--;
        }
        return last >= 0 && ".!?…。！？".indexOf(end.charAt(last)) >= 0;
    }

    /** The separator of two kept sentences: a space, a line end or a blank line, and the marker of a list item. */
    private static String gap(String between) {
        Matcher mark = LIST_MARK.matcher(between);
        String item = mark.find() ? mark.group() : "";
        long lines = between.chars().filter(c -> c == '\n').count();
        return (lines == 0 ? (item.isEmpty() ? " " : "\n") : lines == 1 ? "\n" : "\n\n") + item;
    }

    private static String wider(String a, String b) {
        return b.equals(" ") && !a.isEmpty() ? a : b;
    }
}
