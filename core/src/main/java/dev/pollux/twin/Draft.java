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
 * What a model writes, on its way to an answer: each sentence is checked as soon as the next one begins, cited or dropped.
 * <em>Confined to one thread.</em>
 */
final class Draft {

    /*
     * A sentence is whole when the next one has a letter or a digit: only then are its end and its marks certain. The text is read
     * anew then, from the beginning (it is short, and a block of code or a table needs what stands before it), and what lies
     * before the end of the last sentence is passed over.
     *
     * What has passed is never taken back, so that all that could change it is asked before: whether the sentence is on the
     * matter, and whether enough of what stands before it has passed too. A true sentence after false ones waits for more of its
     * kind; where they do not come nothing is shown.
     */

    private static final Pattern LIST_MARK = Pattern.compile("(?:[-*+•]|\\d{1,9}[.)])[ \\t]+$");

    /** Two sentences that share this part of their content words say the same. */
    private static final double SAME = 0.8;

    /** Of the words of an answer, those that rest on passages with evidence: with fewer it answers another question. */
    private static final double MIN_RELEVANCE = 0.5;

    /** Sentences dropped in a row after which the model is not asked for more. */
    private static final int MOST_DROPPED = 2;

    private final Grounding grounding;
    private final Completion completion;
    private final int evidence;
    private final IdentityHashMap<Source.Line, Integer> numbers = new IdentityHashMap<>();
    private final Map<Integer, Citation> citations = new TreeMap<>();
    private final List<DroppedSentence> dropped = new ArrayList<>();
    private final List<Set<String>> seen = new ArrayList<>();
    private final StringBuilder written = new StringBuilder();
    private final StringBuilder passed = new StringBuilder();
    private final double minGroundedness;
    private int next;
    private int shown; // characters of what has passed
    private int handled; // characters of the text without marks
    private boolean mayEnd; // a sentence may have ended since
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
     * @param packed what the model was given
     * @param minGroundedness nothing is shown before this share of what is written is supported
     */
    Draft(
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

    /** Takes more of what the model writes; the text that has passed the check by it, with its marks, which may be empty. */
    String append(String delta) {
        if (stop.isPresent()) {
            return "";
        }
        written.append(delta);
        mayEnd |= delta.chars().anyMatch(c -> ".!?…。！？:;|\n".indexOf(c) >= 0);
        String text = mayEnd ? read(whole(), true, true) : "";
        if (stop.isEmpty() && Loops.endIn(written.substring(Math.max(0, written.length() - Loops.REACH)))) {
            stop = Optional.of(Answer.Stop.REPEATED);
            String open = Marks.of(written.toString()).text();
            drop(open.substring(Math.min(handled, open.length())).strip(), "it turns in circles");
        }
        return text;
    }

    /**
     * Takes the end.
     *
     * @param finished whether the model came to its own end; else an unfinished last sentence is dropped
     */
    String end(boolean finished) {
        return stop.isPresent() ? "" : read(written.toString(), false, finished);
    }

    /** Why no more is to be written; empty while the model may go on. */
    Optional<Answer.Stop> stop() {
        return stop;
    }

    /** All that was shown. */
    String text() {
        return passed.substring(0, shown);
    }

    List<Citation> citations() {
        return List.copyOf(citations.values());
    }

    List<DroppedSentence> dropped() {
        return List.copyOf(dropped);
    }

    /** The share of the words written that passages support. */
    double groundedness() {
        return words == 0 ? (dropped.isEmpty() ? 1 : 0) : (double) wordsSupported / words;
    }

    /** What is written, without a mark that may not be complete. */
    private String whole() {
        int open = written.lastIndexOf("[");
        boolean pending = open >= 0 && written.indexOf("]", open) < 0 && written.length() - open <= Marks.LONGEST;
        return pending ? written.substring(0, open) : written.toString();
    }

    /** @param open whether more may follow, so that the last sentence waits */
    private String read(String soFar, boolean open, boolean finished) {
        Marks marks = Marks.of(soFar);
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

    /** Adds the sentence with its marks. */
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

    /** Whether an earlier sentence says the same, perhaps with another word or two: what a model does that turns in circles. */
    private boolean repeats(Set<String> stems) {
        for (Set<String> earlier : seen) {
            if (WordSets.jaccard(stems, earlier) >= SAME) {
                return true;
            }
        }
        seen.add(stems);
        return false;
    }

    /** Evidence keeps its number; of a passage without evidence the first sentence cited has the passage's; others follow. */
    private int number(Grounding.Support support) {
        return numbers.computeIfAbsent(support.line(), line -> {
            int passage = support.packed().number();
            return passage > evidence && !citations.containsKey(passage) ? passage : next++;
        });
    }

    /** For each sentence the numbers of its marks: those inside it and after it, and those that open its line. */
    private static List<List<Integer>> cited(Marks marks, List<Sentence> sentences) {
        List<List<Integer>> cited = new ArrayList<>();
        sentences.forEach(sentence -> cited.add(new ArrayList<>()));
        for (Marks.Mark mark : marks.marks()) {
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

    /** What parts two kept sentences: a space, a line or a blank line, and the mark of a list item. */
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
