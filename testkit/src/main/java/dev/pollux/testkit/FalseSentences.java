package dev.pollux.testkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes false sentences of true ones by rule, to measure a check of written sentences.
 *
 * <p>What is put in comes from the same passage where it holds such a thing, from the nearest sentence first: that is how
 * models mix things up. A change that leaves a sentence true is left out: equal things are not exchanged, nor those that
 * <em>and</em>, <em>or</em> or a comma joins, and a sentence that stands in the passage is no result. The rules know
 * English and share no code with what they measure. <em>Thread-safe</em>, as far as the {@link Random} is.
 */
public final class FalseSentences {

    /** What was changed. */
    public enum Kind {
        /** A number that is no date: another of the passage. */
        NUMBER,
        /** A name: another of the passage. */
        NAME,
        /** A year, a month or a weekday: another of the passage, else another. */
        DATE,
        /** A unit: another. */
        UNIT,
        /** A negation put in or taken out. */
        NEGATION,
        /** A word of order, amount or degree: its opposite. */
        COMPARISON,
        /** Two names or two nouns with an article: they change places; or the subject: that of another sentence. */
        ROLE
    }

    /** A false sentence. */
    public record FalseSentence(Kind kind, String text) {}

    private static final Pattern NUMBER = Pattern.compile(
            "\\b(?:\\d+(?:[.,]\\d+)*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty)\\b",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern YEAR = Pattern.compile("\\b(?:1[1-9]\\d\\d|20\\d\\d)\\b");

    private static final Pattern MONTH =
            Pattern.compile("\\b(?:January|February|April|June|July|August|September|October|November|December)\\b");

    private static final Pattern WEEKDAY =
            Pattern.compile("\\b(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?\\b");

    /** Capitalised words in a row that begin no sentence. */
    private static final Pattern NAME =
            Pattern.compile("(?<=[a-z,;\\d] )[A-Z][\\w-]*[A-Za-z](?: [A-Z][\\w-]*[A-Za-z]){0,2}\\b");

    private static final Pattern NOUN = Pattern.compile("\\b(?:[Tt]he|[Aa]n?) ([a-z]{3,}(?:-[a-z]+)?)\\b");

    private static final Pattern AUXILIARY = Pattern.compile(
            "\\b(?:is|are|was|were|can|could|will|would|should|must|has been|have been|had been|has|have|had)\\b(?! to\\b)");

    private static final Pattern NEGATION =
            Pattern.compile("\\b(?:not|never) |n['’]t\\b|(?<=\\b(?:has|have|had|is|are|was|were|with)) no\\b");

    /** A negation anywhere: another one could take it back. */
    private static final Pattern DENIED = Pattern.compile(
            "\\b(?:not?|never|none|nobody|nothing|nor|neither|cannot|without|n['’]t|\\w+n t|can t)\\b",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern JOINED = Pattern.compile(",|\\b(?:and|or|both|between|nor|either)\\b");

    private static final Set<String> NO_NOUNS = Set.of(
            "same",
            "other",
            "first",
            "last",
            "most",
            "more",
            "only",
            "very",
            "best",
            "new",
            "old",
            "next",
            "way",
            "two",
            "three",
            "while",
            "because",
            "little",
            "great",
            "good",
            "own",
            "few",
            "lot",
            "number",
            "fact",
            "following",
            "case",
            "one",
            "second",
            "whole",
            "long",
            "young",
            "poor",
            "big",
            "large",
            "small",
            "main",
            "time");

    private static final Set<String> NO_NAMES = Set.of(
            ("The A An This That These Those It I We You He She They But And For When If From Of On As At With So No Yes"
                            + " Then There Here Why Who Which What How My Our Your His Her Its In To By Or Not All Some"
                            + " Is Are Was Were Be Do Does Let Now Also Thus May")
                    .split(" "));

    private static final List<String> NUMERALS = List.of(
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve");

    private static final Map<String, String> UNITS = pairs("minutes hours seconds days weeks months years percent%"
            + " euros dollars miles kilometres kilometers metres meters feet inches pounds tons degrees million billion"
            + " thousand hundred MB GB KB ms km kg minute hour second day week month year cents people points tokens");

    private static final Map<String, String> OPPOSITES = opposites("more/less most/least before/after above/below"
            + " over/under up/down with/without increase/decrease increases/decreases increased/decreased"
            + " increasing/decreasing higher/lower high/low highest/lowest larger/smaller largest/smallest faster/slower"
            + " fast/slow better/worse best/worst longer/shorter long/short first/last earlier/later early/late"
            + " minimum/maximum opens/closes open/close opened/closed includes/excludes include/exclude"
            + " included/excluded always/never all/no many/few inside/outside into/out~of from/to older/younger"
            + " stronger/weaker easier/harder rich/poor begins/ends began/ended begin/end rose/fell rise/fall won/lost"
            + " win/lose greater/smaller everything/nothing everyone/nobody accept/reject buy/sell bought/sold"
            + " positive/negative");

    private FalseSentences() {}

    /**
     * The false sentences that the rules make of one of a passage's, at most one of a kind.
     *
     * @param passage its sentences
     * @param index of the sentence to change
     */
    public static List<FalseSentence> of(List<String> passage, int index, Random random) {
        String sentence = passage.get(index);
        List<String> others = nearestFirst(passage, index);
        Map<Kind, Optional<String>> made = new LinkedHashMap<>();
        made.put(Kind.NUMBER, number(sentence, others, random));
        made.put(Kind.NAME, name(sentence, others, random));
        made.put(Kind.DATE, date(sentence, others, random));
        made.put(Kind.UNIT, word(sentence, UNITS, "(?<=\\d |[a-z] )", random));
        made.put(Kind.NEGATION, negation(sentence, random));
        made.put(Kind.COMPARISON, word(sentence, OPPOSITES, "", random));
        made.put(Kind.ROLE, role(sentence, others, random));
        String whole = plain(String.join(" ", passage));
        List<FalseSentence> result = new ArrayList<>();
        made.forEach((kind, text) ->
                text.filter(t -> !whole.contains(plain(t))).ifPresent(t -> result.add(new FalseSentence(kind, t))));
        return result;
    }

    private static List<String> nearestFirst(List<String> passage, int index) {
        List<String> others = new ArrayList<>();
        for (int distance = 1; distance < passage.size(); distance++) {
            Stream.of(index + distance, index - distance)
                    .filter(i -> i >= 0 && i < passage.size())
                    .forEach(i -> others.add(passage.get(i)));
        }
        others.add(passage.get(index));
        return others;
    }

    private static Optional<String> number(String sentence, List<String> others, Random random) {
        Predicate<MatchResult> counts = m -> !YEAR.matcher(m.group()).matches();
        return exchanged(sentence, NUMBER, counts, others, random);
    }

    private static Optional<String> name(String sentence, List<String> others, Random random) {
        Predicate<MatchResult> named = m -> !MONTH.matcher(m.group()).find()
                && !WEEKDAY.matcher(m.group()).find()
                && !NO_NAMES.contains(m.group().split(" ")[0]);
        return exchanged(sentence, NAME, named, others, random);
    }

    private static Optional<String> date(String sentence, List<String> others, Random random) {
        for (Pattern pattern : List.of(YEAR, MONTH, WEEKDAY)) {
            Optional<String> made = exchanged(sentence, pattern, m -> true, others, random);
            if (made.isPresent()) {
                return made;
            }
        }
        return YEAR.matcher(sentence).find()
                ? Optional.of(YEAR.matcher(sentence)
                        .replaceFirst(m -> Integer.toString(Integer.parseInt(m.group()) - 1 - random.nextInt(9))))
                : MONTH.matcher(sentence).find()
                        ? Optional.of(MONTH.matcher(sentence)
                                .replaceFirst(m -> m.group().equals("April") ? "October" : "April"))
                        : Optional.empty();
    }

    /** One match, by chance, replaced by the first of the other sentences that differs. */
    private static Optional<String> exchanged(
            String sentence, Pattern pattern, Predicate<MatchResult> fits, List<String> others, Random random) {
        Optional<MatchResult> chosen =
                chosen(pattern.matcher(sentence), fits.and(match -> isInside(sentence, match)), random);
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        MatchResult old = chosen.get();
        return others.stream()
                .flatMap(other -> pattern.matcher(other).results())
                .filter(fits)
                .map(MatchResult::group)
                .filter(group -> !overlaps(group, old.group()))
                .findFirst()
                .map(group -> sentence.substring(0, old.start()) + group + sentence.substring(old.end()));
    }

    private static boolean overlaps(String a, String b) {
        Set<String> words = new LinkedHashSet<>(singular(a));
        words.retainAll(singular(b));
        return !words.isEmpty();
    }

    /** The words without plural, numerals as digits. */
    private static List<String> singular(String text) {
        return Stream.of(plain(text).split(" "))
                .map(word -> NUMERALS.contains(word) ? Integer.toString(NUMERALS.indexOf(word)) : word)
                .map(word -> word.length() > 3 && word.endsWith("s") ? word.substring(0, word.length() - 1) : word)
                .toList();
    }

    /** Whether a match is in the sentence, not the number of the next item of a list. */
    private static boolean isInside(String sentence, MatchResult match) {
        return !sentence.substring(0, match.start()).stripTrailing().matches(".*[.!?]");
    }

    private static Optional<MatchResult> chosen(Matcher matcher, Predicate<MatchResult> fits, Random random) {
        List<MatchResult> matches = matcher.results().filter(fits).toList();
        return matches.isEmpty() ? Optional.empty() : Optional.of(matches.get(random.nextInt(matches.size())));
    }

    private static Optional<String> negation(String sentence, Random random) {
        Matcher negation = NEGATION.matcher(sentence);
        if (negation.find() && !sentence.contains("not only")) {
            return Optional.of(negation.replaceFirst(""));
        }
        if (DENIED.matcher(sentence).find()) {
            return Optional.empty();
        }
        return chosen(AUXILIARY.matcher(sentence), m -> true, random)
                .map(m -> sentence.substring(0, m.end()) + " not" + sentence.substring(m.end()));
    }

    private static Optional<String> word(String sentence, Map<String, String> pairs, String before, Random random) {
        Pattern words = Pattern.compile(before + "\\b(?:" + String.join("|", pairs.keySet()) + ")\\b");
        return chosen(words.matcher(sentence), m -> isOpposable(sentence, m), random)
                .map(m -> sentence.substring(0, m.start()) + pairs.get(m.group()) + sentence.substring(m.end()));
    }

    /** Whether the word has its sense: no particle, no infinitive, no <em>at all</em>. */
    private static boolean isOpposable(String sentence, MatchResult m) {
        String before = sentence.substring(Math.max(0, m.start() - 8), m.start());
        String after = sentence.substring(m.end(), Math.min(sentence.length(), m.end() + 6));
        boolean phrase =
                before.endsWith("at ") || before.endsWith("as ") || before.endsWith("of ") || before.endsWith("no ");
        boolean weak = Set.of("to", "up", "over", "down", "all").contains(m.group());
        return !after.startsWith(" up")
                && !(phrase && m.group().equals("all"))
                && !(weak && !Set.of("all").contains(m.group()) && !after.matches(" (?:the|\\d|[A-Z]).*"))
                && !m.group().equals("no")
                && !before.matches(".*\\b(?:not|never) ");
    }

    private static Optional<String> role(String sentence, List<String> others, Random random) {
        Optional<String> swapped = swapped(sentence, NAME, 0).or(() -> swapped(sentence, NOUN, 1));
        Matcher subject = Pattern.compile("^(?:The|A|An) ([a-z]{3,})\\b").matcher(sentence);
        if (swapped.isPresent() && random.nextBoolean() || !subject.find() || NO_NOUNS.contains(subject.group(1))) {
            return swapped;
        }
        return others.stream()
                .flatMap(other -> NOUN.matcher(other).results())
                .map(m -> m.group(1))
                .filter(noun -> !NO_NOUNS.contains(noun) && !same(noun, subject.group(1)))
                .findFirst()
                .map(noun -> sentence.substring(0, subject.start(1)) + noun + sentence.substring(subject.end(1)))
                .or(() -> swapped);
    }

    /** The first two matches that are not joined change places. */
    private static Optional<String> swapped(String sentence, Pattern pattern, int group) {
        List<MatchResult> all = pattern.matcher(sentence)
                .results()
                .filter(m -> !NO_NOUNS.contains(m.group(group)))
                .toList();
        for (int i = 0; i + 1 < all.size(); i++) {
            MatchResult a = all.get(i);
            MatchResult b = all.get(i + 1);
            String between = sentence.substring(a.end(group), b.start(group));
            boolean verb =
                    between.trim().split(" ").length >= 2 || between.matches(" [a-z]{3,}e?[sd] (?:the |a |an )?");
            if (!JOINED.matcher(between).find() && verb && !same(a.group(group), b.group(group))) {
                return Optional.of(sentence.substring(0, a.start(group))
                        + b.group(group)
                        + between
                        + a.group(group)
                        + sentence.substring(b.end(group)));
            }
        }
        return Optional.empty();
    }

    private static boolean same(String a, String b) {
        return overlaps(a, b) || a.startsWith(b) || b.startsWith(a);
    }

    private static String plain(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\d]+", " ").strip();
    }

    private static Map<String, String> pairs(String words) {
        String[] all = words.replace("%", "").split(" ");
        Map<String, String> pairs = new LinkedHashMap<>();
        for (int i = 0; i < all.length; i++) {
            pairs.put(all[i], all[(i + 3) % all.length]);
        }
        return pairs;
    }

    private static Map<String, String> opposites(String words) {
        Map<String, String> opposites = new LinkedHashMap<>();
        for (String pair : words.split(" ")) {
            String[] both = pair.replace('~', ' ').split("/");
            opposites.put(both[0], both[1]);
            opposites.put(both[1], both[0]);
        }
        return opposites;
    }
}
