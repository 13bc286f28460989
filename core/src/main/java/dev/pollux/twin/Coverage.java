package dev.pollux.twin;

import dev.pollux.internal.text.AskedWord;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Measures the share of a question's words in sentences and their passages. <em>Confined to one thread.</em> */
final class Coverage {

    /*
     * overlap(q, s) = (4 share(q, s) + share(q, passage of s) + share(q, all retrieved passages)) / 6
     * share(q, x)   = sum of held(w, x) weight(w) idf(w) over the question's words w / sum of weight(w) idf(w)
     * held(w, s)    = 1 for a word of s or of its Context; 0.7 for a part of a compound of s, in languages that write
     *                 compounds as one word; 0.5 for a word that is only in the headings above s
     * held(w, p)    = maximum of held(w, s) over the statements s of passage p
     * idf(w)        = ln(1 + (N + 20) / (n + 1)); n of the N sentences of the retrieved passages contain w
     * weight(w)     = 1, or 1/4 for a word that a follow-up only carries from the question before
     *
     * Words are compared by their stems in the language of the passage.
     *
     * The constant 20 is a prior for unseen sentences. Few passages on one subject would otherwise reduce the idf of the
     * subject's own words to almost 0, compared with every other word of the question.
     *
     * Three levels, because answers are often spread: a paragraph names its subject once, and the answering sentence has a
     * pronoun. A word that is missing in the whole passage counts more against the sentence than one that is missing only
     * in the sentence. A word that is missing in all passages is evidence that the question is not answered at all.
     *
     * If a line mentions an Identifier, held = 0 for its number in the lines that do not mention it: for item 177, a line
     * with the price 177 does not count.
     */

    private static final double SENTENCE_SHARE = 4 / 6.0;

    private static final double PASSAGE_SHARE = 1 / 6.0;

    private static final double RETRIEVED_SHARE = 1 / 6.0;

    private static final double UNSEEN = 20;

    private static final double CARRIED_WEIGHT = 0.25;

    private static final double HEADING_WEIGHT = 0.5;

    private static final double COMPOUND_WEIGHT = 0.7;

    /** Minimum length of a part; shorter words are parts of too many compounds. */
    private static final int SHORTEST_PART = 4;

    private final List<AskedWord> words;
    private final Set<String> own;
    private final List<Identifier> identifiers; // identifiers that the passages mention
    private final List<String> unmentioned; // identifiers whose labels have only other numbers in the passages
    private final double[] weights; // (words), with sum 1 unless empty
    private final IdentityHashMap<SentenceSpan, Set<String>> keys = new IdentityHashMap<>();
    private final IdentityHashMap<EvidencePassage.Section, Set<String>> sections = new IdentityHashMap<>();
    private final IdentityHashMap<SentenceSpan, double[]> lines =
            new IdentityHashMap<>(); // held values (words) by line
    private final IdentityHashMap<EvidencePassage, double[]> passages =
            new IdentityHashMap<>(); // held values (words) by passage
    private final double retrieved;

    /**
     * @param question as the user asked it
     * @param subject the question extended by the words that it refers to; equal if it is self-contained
     */
    Coverage(String question, String subject, List<EvidencePassage> sources) {
        Set<Language> languages =
                sources.stream().map(EvidencePassage::language).collect(Collectors.toCollection(LinkedHashSet::new));
        this.words = AskedWord.of(subject, languages);
        this.own = AskedWord.of(question, languages).stream()
                .map(asked -> asked.word().form())
                .collect(Collectors.toSet());
        this.unmentioned = new ArrayList<>();
        this.identifiers = mentioned(subject, sources);
        this.weights = weights(sources);
        double[] all = new double[words.size()]; // (words)
        sources.forEach(source -> raise(all, held(source)));
        this.retrieved = share(all);
    }

    private List<Identifier> mentioned(String subject, List<EvidencePassage> sources) {
        List<Identifier> mentioned = new ArrayList<>();
        for (Identifier identifier : Identifier.of(subject, words)) {
            Set<Identifier.Mention> mentions = EnumSet.noneOf(Identifier.Mention.class);
            for (EvidencePassage source : sources) {
                source.lines().forEach(line -> mentions.add(identifier.in(source, line)));
            }
            if (mentions.contains(Identifier.Mention.SAME)) {
                mentioned.add(identifier);
            } else if (mentions.contains(Identifier.Mention.OTHER)) {
                unmentioned.add(identifier.text());
            }
        }
        return mentioned;
    }

    private double[] weights(List<EvidencePassage> sources) {
        double[] idf = new double[words.size()]; // (words)
        double sum = 0;
        int sentences =
                sources.stream().mapToInt(source -> source.lines().size()).sum();
        for (int i = 0; i < idf.length; i++) {
            int n = 0;
            for (EvidencePassage source : sources) {
                for (SentenceSpan line : source.lines()) {
                    n += held(words.get(i), source.language(), keys(line)) > 0 ? 1 : 0;
                }
            }
            double weight = own(words.get(i)) ? 1 : CARRIED_WEIGHT;
            idf[i] = weight * Math.log(1 + (sentences + UNSEEN) / (n + 1));
            sum += idf[i];
        }
        for (int i = 0; i < idf.length; i++) {
            idf[i] /= sum;
        }
        return idf;
    }

    /** The overlap of the question with a sentence, in [0, 1]. */
    double of(EvidencePassage source, SentenceSpan line) {
        return SENTENCE_SHARE * share(held(source, line))
                + PASSAGE_SHARE * share(held(source))
                + RETRIEVED_SHARE * retrieved;
    }

    /** Whether a line is about another member of the class asked for: item 42 if the question names item 177. */
    boolean isOfAnother(EvidencePassage source, SentenceSpan line) {
        Set<Identifier.Mention> mentions = EnumSet.noneOf(Identifier.Mention.class);
        identifiers.forEach(identifier -> mentions.add(identifier.in(source, line)));
        return mentions.contains(Identifier.Mention.OTHER) && !mentions.contains(Identifier.Mention.SAME);
    }

    private double share(double[] held) { // (words)
        double share = 0;
        for (int i = 0; i < weights.length; i++) {
            share += weights[i] * held[i];
        }
        return share;
    }

    private double[] held(EvidencePassage source, SentenceSpan line) { // (words)
        return lines.computeIfAbsent(line, any -> heldBy(source, line));
    }

    private double[] heldBy(EvidencePassage source, SentenceSpan line) { // (words)
        double[] held = new double[words.size()];
        for (int i = 0; i < held.length; i++) {
            double direct = held(words.get(i), source.language(), keys(line));
            double above = direct == 1 ? 0 : HEADING_WEIGHT * held(words.get(i), source.language(), sectionKeys(line));
            held[i] = Math.max(direct, above);
        }
        for (Identifier identifier : identifiers) {
            held[identifier.index()] = identifier.in(source, line) == Identifier.Mention.SAME ? 1 : 0;
        }
        return held;
    }

    /** The maximum of each word's held value over the statements of a passage. */
    private double[] held(EvidencePassage source) { // (words)
        return passages.computeIfAbsent(source, passage -> {
            double[] held = new double[words.size()];
            for (SentenceSpan line : passage.lines()) {
                if (line.isStatement()) {
                    raise(held, held(passage, line));
                }
            }
            return held;
        });
    }

    private static void raise(double[] most, double[] held) { // (words) each
        for (int i = 0; i < most.length; i++) {
            most[i] = Math.max(most[i], held[i]);
        }
    }

    /**
     * The words of the question, as written there, without which the passages cannot answer:
     * <ul>
     *   <li>names and years that no retrieved passage contains as a word, as a part of a word, in its headings, in the
     *       document's name, or as the first letters of consecutive words;
     *   <li>identifiers whose labels the passages have only with other numbers.
     * </ul>
     *
     * @param self words that need not occur
     */
    List<String> missing(String question, List<EvidencePassage> sources, Set<String> self) {
        List<String> missing = new ArrayList<>(unmentioned);
        for (int i = 0; i < words.size(); i++) {
            AskedWord word = words.get(i);
            boolean known = self.contains(word.word().form());
            if (own(word) && !known && Naming.isNamed(question, word.word()) && !isMentioned(i, sources)) {
                missing.add(word.word().text());
            }
        }
        return missing;
    }

    private boolean own(AskedWord word) {
        return own.contains(word.word().form());
    }

    private boolean isMentioned(int index, List<EvidencePassage> sources) {
        AskedWord word = words.get(index);
        Set<String> joined = new HashSet<>(); // the word written together with its neighbours in the question
        for (int other : new int[] {index - 1, index + 1}) {
            if (other >= 0 && other < words.size()) {
                String left = words.get(Math.min(index, other)).word().form();
                joined.add(left + words.get(Math.max(index, other)).word().form());
            }
        }
        for (EvidencePassage source : sources) {
            String name = source.passage().document();
            if (isNear(word, source.language(), keys(Words.of(name, source.language())))) {
                return true;
            }
            for (SentenceSpan line : source.lines()) {
                if (isNear(word, source.language(), keys(line))
                        || isNear(word, source.language(), sectionKeys(line))
                        || Naming.spells(line.words(), word.word(), joined)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether a key equals the word, or one of the two is a prefix of the other. */
    private static boolean isNear(AskedWord word, Language language, Set<String> keys) {
        if (held(word, language, keys) > 0) {
            return true;
        }
        return word.stems(language).stream()
                .filter(stem -> stem.length() >= SHORTEST_PART)
                .anyMatch(stem -> keys.stream()
                        .anyMatch(
                                key -> key.startsWith(stem) || key.length() >= SHORTEST_PART && stem.startsWith(key)));
    }

    private static double held(AskedWord word, Language language, Set<String> keys) {
        double most = 0;
        for (String stem : word.stems(language)) {
            if (keys.contains(stem)) {
                return 1;
            }
            if (language.compounds() && stem.length() >= SHORTEST_PART && isPart(stem, keys)) {
                most = COMPOUND_WEIGHT;
            }
        }
        return most;
    }

    private static boolean isPart(String stem, Set<String> keys) {
        return keys.stream()
                .anyMatch(key -> key.length() > stem.length() && (key.startsWith(stem) || key.endsWith(stem)));
    }

    private Set<String> keys(SentenceSpan line) {
        return keys.computeIfAbsent(line, l -> {
            Set<String> held = keys(l.words());
            held.addAll(l.context().stems());
            return held;
        });
    }

    private Set<String> sectionKeys(SentenceSpan line) {
        return sections.computeIfAbsent(line.section(), section -> keys(section.words()));
    }

    private static Set<String> keys(List<Words.Word> words) {
        Set<String> keys = new HashSet<>();
        words.forEach(word -> keys.addAll(word.keys()));
        return keys;
    }
}
