package dev.pollux.twin;

import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a model wrote, on its way to an answer: sentence by sentence it is checked, cited or dropped. <em>Confined to one
 * thread.</em>
 */
final class Draft {

    private static final Pattern LIST_MARK = Pattern.compile("(?:[-*+•]|\\d{1,9}[.)])[ \\t]+$");

    /**
     * What passed the check.
     *
     * @param groundedness the share of the words that passages support
     * @param relevance of these, the share that rests on passages which hold evidence
     */
    record Checked(
            String text,
            List<Citation> citations,
            List<DroppedSentence> dropped,
            double groundedness,
            double relevance) {}

    /** Two sentences that share this part of their content words say the same. */
    private static final double SAME = 0.8;

    private final Grounding grounding;
    private final int evidence;
    private final IdentityHashMap<Source.Line, Integer> numbers = new IdentityHashMap<>();
    private final Map<Integer, Citation> citations = new TreeMap<>();
    private final List<DroppedSentence> dropped = new ArrayList<>();
    private final List<Set<String>> seen = new ArrayList<>();
    private String previous = "";
    private int next;
    private int wordsSupported;
    private int wordsOnEvidence;
    private int words;

    /**
     * @param found the evidence, numbered from 1 in this order
     * @param packed what the model was given
     */
    Draft(Grounding grounding, List<EvidenceFinder.Found> found, List<TwinPrompt.Packed> packed) {
        this.grounding = grounding;
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

    /** @param finished whether the model came to its own end; else an unfinished last sentence is dropped */
    Checked check(String written, boolean finished) {
        Marks marks = Marks.of(written);
        String text = marks.text();
        List<Sentence> sentences = Sentences.of(text);
        List<List<Integer>> cited = cited(marks, sentences);
        StringBuilder kept = new StringBuilder();
        String gap = "";
        int end = 0;
        for (int i = 0; i < sentences.size(); i++) {
            Sentence sentence = sentences.get(i);
            gap = wider(gap, gap(text.substring(end, sentence.start())));
            end = sentence.end();
            if (sentence.kind() == Sentence.Kind.HEADING) {
                continue;
            }
            boolean unfinished =
                    !finished && i == sentences.size() - 1 && !isFinished(text.substring(sentence.start()));
            String checked = checked(sentence, sentence.of(text), cited.get(i), unfinished);
            if (!checked.isEmpty()) {
                kept.append(kept.isEmpty() ? gap.stripLeading() : gap).append(checked);
                gap = "";
            }
        }
        double groundedness = words == 0 ? (dropped.isEmpty() ? 1 : 0) : (double) wordsSupported / words;
        double relevance = wordsSupported == 0 ? 0 : (double) wordsOnEvidence / wordsSupported;
        return new Checked(kept.toString(), List.copyOf(citations.values()), dropped, groundedness, relevance);
    }

    /** The sentence with its marks; empty where it is dropped. */
    private String checked(Sentence sentence, String text, List<Integer> cited, boolean unfinished) {
        if (repeats(Words.contentStems(text))) {
            dropped.add(new DroppedSentence(text, "it repeats an earlier sentence"));
            words += grounding
                    .check(text, cited, previous)
                    .words(); // a model that turns in circles is not to be trusted
            return "";
        }
        Grounding.Verdict verdict = grounding.check(text, cited, previous);
        words += verdict.words();
        String reason = unfinished ? "it is not finished" : verdict.reason();
        if (!reason.isEmpty()) {
            dropped.add(new DroppedSentence(text, reason));
            return "";
        }
        previous = text;
        wordsSupported += verdict.words();
        if (verdict.supports().stream().anyMatch(support -> support.packed().number() <= evidence)) {
            wordsOnEvidence += verdict.words();
        }
        TreeSet<Integer> marks = new TreeSet<>();
        for (Grounding.Support support : verdict.supports()) {
            int number = number(support);
            citations.putIfAbsent(number, support.packed().source().cite(number, support.line()));
            marks.add(number);
        }
        String mark = marks.stream().map(n -> "[" + n + "]").collect(Collectors.joining("", " ", ""));
        if (sentence.kind() == Sentence.Kind.CODE) {
            return "```\n" + text + "\n```\n" + mark.strip();
        }
        int stop = text.length();
        while (stop > 0 && ".!?…:".indexOf(text.charAt(stop - 1)) >= 0) {
            stop--;
        }
        return text.substring(0, stop) + mark + text.substring(stop);
    }

    /** Whether an earlier sentence says the same, perhaps with another word or two: what a model does that turns in circles. */
    private boolean repeats(Set<String> stems) {
        for (Set<String> earlier : seen) {
            long both = stems.stream().filter(earlier::contains).count();
            if (both >= SAME * (stems.size() + earlier.size() - both)) {
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
