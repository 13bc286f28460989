package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A sentence in the form that the check compares: its content terms in order, with the links between them.
 * <em>Immutable.</em>
 *
 * @param tail the link after the last term
 */
record Statement(List<Term> terms, Term.Link tail) {

    private static final Pattern NUMBER_WITH_UNIT = Pattern.compile("(\\d[\\d.,]*)(\\p{L}{1,3})");

    private static final Set<String> NO_NUMBER_BEFORE =
            Set.of("no", "any", "some", "every", "this", "that", "the", "each", "which", "another", "only");

    Statement {
        terms = List.copyOf(terms);
    }

    static Statement of(String sentence) {
        String text = CitationMarkers.of(sentence).text();
        return new Reader(text).read();
    }

    /** The two sentences as one statement, with a sentence boundary between them. */
    Statement then(Statement next) {
        List<Term> all = new ArrayList<>(terms);
        for (Term term : next.terms) {
            Term.Link link = term.link();
            if (all.size() == terms.size()) {
                Set<Term.Trait> traits = EnumSet.of(Term.Trait.SENTENCE, Term.Trait.CLAUSE, Term.Trait.COORDINATED);
                traits.addAll(link.traits());
                traits.remove(Term.Trait.ADJACENT);
                link = link.with(traits);
            }
            all.add(term.after(link));
        }
        return new Statement(all, next.tail);
    }

    Statement part(int from, int to) {
        return new Statement(terms.subList(from, to), to == terms.size() ? tail : Term.Link.NONE);
    }

    /** The index of the first term in the clause of the term at {@code index}. */
    int clauseStart(int index) {
        int start = index;
        while (start > 0 && !terms.get(start).link().begins()) {
            start--;
        }
        return start;
    }

    /**
     * Whether the terms of {@code subject} are consecutive and start after at most two other terms, the position of a
     * subject.
     */
    boolean isAbout(List<Term> subject) {
        for (int from = 0; from <= 2 && from + subject.size() <= terms.size(); from++) {
            boolean same = true;
            for (int i = 0; i < subject.size() && same; i++) {
                Term term = terms.get(from + i);
                same = subject.get(i).isSaidBy(term)
                        && (from + i == 0 || term.link().has(Term.Trait.ADJACENT));
            }
            if (same) {
                return true;
            }
        }
        return false;
    }

    /** Parses one sentence from left to right. <em>Confined to one thread.</em> */
    private static final class Reader {

        /*
         * Function words and punctuation accumulate in the link. The next term takes the link, and a new one starts; the link
         * after the last term is the tail. In "The fee is not 20 euros" the terms are fee, 20 and euro; the link of 20 has one
         * negation. A token is tried as a date, an acronym, a function word, a number, a unit, a qualifier, and
         * last as a content word.
         */

        private final String text;
        private final List<Words.Word> words;
        private final List<Term> terms = new ArrayList<>();
        private Set<Term.Trait> traits = EnumSet.noneOf(Term.Trait.class);
        private List<String> prepositions = new ArrayList<>();
        private List<String> pronouns = new ArrayList<>();
        private int negations;
        private boolean apart; // whether a function word separates the terms

        Reader(String text) {
            this.text = text;
            this.words = Words.of(text);
        }

        Statement read() {
            traits.add(Term.Trait.CLAUSE);
            int end = 0;
            for (int i = 0; i < words.size(); ) {
                between(end, words.get(i).start());
                Optional<Dates.Found> date = Dates.at(words, i, text);
                int count = date.map(Dates.Found::words).orElse(1);
                int last = i + count - 1;
                String shown =
                        text.substring(words.get(i).start(), words.get(last).end());
                if (date.isPresent()) {
                    add(Term.Kind.DATE, date.get().key(), shown);
                } else {
                    word(i);
                }
                end = words.get(last).end();
                i += count;
            }
            between(end, text.length());
            return new Statement(terms, link());
        }

        /** Adds punctuation and symbols to the link. */
        private void between(int from, int to) {
            for (int i = from; i < to; i++) {
                char c = text.charAt(i);
                if (".!?…。！？".indexOf(c) >= 0) {
                    traits.add(Term.Trait.CLAUSE);
                    if (beforeCapital(i) && !terms.isEmpty()) {
                        traits.add(Term.Trait.SENTENCE);
                        traits.add(Term.Trait.COORDINATED);
                    }
                } else if (",;:()[]{}|—–，；：、".indexOf(c) >= 0 || isDash(i, to)) {
                    traits.add(Term.Trait.CLAUSE);
                    if (c == ';') {
                        traits.add(Term.Trait.COORDINATED);
                    }
                } else if (c == '%' || Character.getType(c) == Character.CURRENCY_SYMBOL) {
                    add(Term.Kind.UNIT, symbol(c), String.valueOf(c));
                } else if (Character.getType(c) == Character.OTHER_NUMBER) {
                    add(Term.Kind.NUMBER, String.valueOf(c), String.valueOf(c));
                } else if ("<>≤≥".indexOf(c) >= 0 && beforeDigit(i) || (c == '-' || c == '−') && isMinus(i)) {
                    add(Term.Kind.QUALIFIER, String.valueOf(c), String.valueOf(c));
                }
            }
        }

        private boolean isDash(int i, int to) {
            return text.charAt(i) == '-'
                    && i > 0
                    && text.charAt(i - 1) == ' '
                    && i + 1 < to
                    && text.charAt(i + 1) == ' ';
        }

        private boolean beforeCapital(int i) {
            int next = i + 1;
            while (next < text.length() && " \n\"'”’)".indexOf(text.charAt(next)) >= 0) {
                next++;
            }
            return next > i + 1 && next < text.length() && Character.isUpperCase(text.charAt(next));
        }

        private boolean beforeDigit(int i) {
            int next = i + 1;
            while (next < text.length() && text.charAt(next) == ' ') {
                next++;
            }
            return next < text.length() && Character.isDigit(text.charAt(next));
        }

        private boolean isMinus(int i) {
            return i + 1 < text.length()
                    && Character.isDigit(text.charAt(i + 1))
                    && (i == 0 || " (".indexOf(text.charAt(i - 1)) >= 0);
        }

        private static String symbol(char c) {
            return switch (c) {
                case '%' -> "percent";
                case '€' -> "euro";
                case '$' -> "dollar";
                case '£' -> "pound";
                default -> String.valueOf(c);
            };
        }

        private void word(int i) {
            Words.Word word = words.get(i);
            String lower = word.text().toLowerCase(Locale.ROOT);
            if (isApostropheLetter(i, lower)) {
                if (lower.equals("s")) {
                    traits.add(Term.Trait.POSSESSIVE);
                } else if (lower.equals("t") && i > 0 && words.get(i - 1).text().equalsIgnoreCase("can")) {
                    negations++;
                }
                return;
            }
            if (isAcronym(word.text())) {
                add(Term.Kind.NAME, word.stem(), word.text());
            } else if (isOne(i, lower)) {
                add(Term.Kind.NUMBER, "1", word.text());
            } else if (!function(lower) && !term(word, lower) && word.content()) {
                String key = Lexicon.irregular(lower).orElse(word.stem());
                key = key.endsWith("y") ? key.substring(0, key.length() - 1) + "i" : key; // pay like pays
                add(isName(i) ? Term.Kind.NAME : Term.Kind.WORD, key, word.text());
            } else if (isLetterName(i, word)) {
                add(Term.Kind.NAME, lower, word.text());
            }
        }

        /** Adds a function word to the link; names of months and abbreviations are excluded by the caller. */
        private boolean function(String lower) {
            boolean taken = true;
            if (Lexicon.isNegation(lower)) {
                negations++;
            } else if (Lexicon.isHedge(lower)) {
                traits.add(Term.Trait.HEDGED);
            } else if (Lexicon.isCondition(lower)) {
                traits.add(Term.Trait.CONDITIONAL);
            } else {
                taken = false;
            }
            if (Lexicon.isPreposition(lower)) {
                prepositions.add(lower);
                taken = true;
            }
            if (Lexicon.isConjunction(lower)) {
                traits.add(Term.Trait.CLAUSE);
                traits.add(Lexicon.isCoordination(lower) ? Term.Trait.COORDINATED : Term.Trait.SUBORDINATE);
                taken = true;
            }
            if (Lexicon.isOpposition(lower)) {
                traits.add(Term.Trait.OPPOSED);
            }
            if (Lexicon.isDeterminer(lower)) {
                traits.add(Term.Trait.DETERMINED);
                taken = true;
            }
            Optional<String> pronoun = Lexicon.pronoun(lower);
            pronoun.ifPresent(pronouns::add);
            apart |= taken || pronoun.isPresent();
            return taken || pronoun.isPresent();
        }

        private boolean term(Words.Word word, String lower) {
            Optional<String> qualifier = Lexicon.qualifier(lower);
            Optional<String> unit = Lexicon.unit(lower, afterNumber());
            Optional<String> numeral = Lexicon.numeral(lower);
            Matcher compound = NUMBER_WITH_UNIT.matcher(lower);
            if (numeral.isPresent() || word.isNumber() && !compound.matches()) {
                add(Term.Kind.NUMBER, numeral.orElse(word.stem()), word.text());
            } else if (unit.isPresent()) {
                add(Term.Kind.UNIT, unit.get(), word.text());
            } else if (qualifier.isPresent()) {
                add(Term.Kind.QUALIFIER, qualifier.get(), word.text());
            } else if (word.isNumber()) {
                Optional<String> attached = Lexicon.unit(compound.group(2), true);
                String number = attached.isPresent() ? compound.group(1).replace(",", "") : word.stem();
                add(Term.Kind.NUMBER, number, word.text());
                attached.ifPresent(name -> add(Term.Kind.UNIT, name, word.text()));
            } else {
                apart |= !word.content();
                return false;
            }
            return true;
        }

        private boolean afterNumber() {
            return !terms.isEmpty()
                    && terms.get(terms.size() - 1).kind() == Term.Kind.NUMBER
                    && !apart
                    && !traits.contains(Term.Trait.CLAUSE);
        }

        /** Whether the word is {@code s} or {@code t} after an apostrophe, or after a space in text without apostrophes. */
        private boolean isApostropheLetter(int i, String lower) {
            boolean letter = lower.equals("s") || lower.equals("t") && i > 0;
            return letter
                    && i > 0
                    && !words.get(i - 1).isNumber()
                    && words.get(i).text().equals(lower);
        }

        /** Whether a function word is written as an acronym. */
        private static boolean isAcronym(String shown) {
            return shown.equals("IT") || shown.equals("US") || shown.equals("WHO");
        }

        private boolean isOne(int i, String lower) {
            return lower.equals("one")
                    && i + 1 < words.size()
                    && words.get(i + 1).content()
                    && !(i > 0
                            && NO_NUMBER_BEFORE.contains(words.get(i - 1).text().toLowerCase(Locale.ROOT)));
        }

        /** Whether a single capital letter is a name: {@code plan B}. */
        private boolean isLetterName(int i, Words.Word word) {
            String shown = word.text();
            return shown.length() == 1
                    && Character.isUpperCase(shown.charAt(0))
                    && !shown.equals("I")
                    && (i > 0 || !shown.equals("A"));
        }

        /** Whether a word is capitalised within a clause, or has a capital after its first letter. */
        private boolean isName(int i) {
            String shown = words.get(i).text();
            return shown.codePoints().skip(1).anyMatch(Character::isUpperCase)
                    || Character.isUpperCase(shown.codePointAt(0))
                            && i > 0
                            && text.substring(
                                            words.get(i - 1).end(), words.get(i).start())
                                    .chars()
                                    .noneMatch(c -> ":.!?\"“(*\n".indexOf(c) >= 0);
        }

        private void add(Term.Kind kind, String key, String shown) {
            terms.add(new Term(kind, key, shown, link()));
        }

        private Term.Link link() {
            if (!apart && !traits.contains(Term.Trait.CLAUSE)) {
                traits.add(Term.Trait.ADJACENT);
            }
            Term.Link link = new Term.Link(traits, negations, prepositions, pronouns);
            traits = EnumSet.noneOf(Term.Trait.class);
            prepositions = new ArrayList<>();
            pronouns = new ArrayList<>();
            negations = 0;
            apart = false;
            return link;
        }
    }
}
