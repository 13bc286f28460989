package dev.pollux.twin;

import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Checks written sentences against the passages in the prompt; {@link Twin} documents the rules. <em>Thread-safe.</em> */
final class Grounding {

    /*
     * Sources are tried in this order; Entailment decides whether a source supports the claim:
     *
     *   1. each sentence, and each two consecutive sentences, of the cited passages;
     *   2. the same of the other passages;
     *   3. if none supports the whole sentence, one source for each clause, whose subject the source names:
     *      "A costs 5 euros and B opens at nine".
     */

    private static final Pattern CAPTION = Pattern.compile(
            "\\W{0,9}(?:figure|fig|table|image|photo|picture|screenshot|listing|exhibit|diagram|illustration)s?\\.?\\s{0,3}"
                    + "(?:\\d{1,4}[a-z]?(?:\\.\\d{1,3})?\\s{0,3}(?:[:.–—-]|$)|\\d{0,4}\\s{0,3}(?:by|from|courtesy|credit|source)\\b|:).*",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** A reference to the source in words instead of a mark: {@code according to passage 2}. */
    private static final Pattern PASSAGE_NUMBER = Pattern.compile(
            "\\b(passages?|sources?|documents?) \\d{1,3}(?:(?:,| and) \\d{1,3}){0,9}\\b", Pattern.CASE_INSENSITIVE);

    private static final Pattern ASKS_WHETHER = Pattern.compile(
            "\\W{0,9}(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|may|must|should)\\b.*",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** Maximum number of sources compared with every rewording; the others share too few words with the claim. */
    private static final int MOST_CANDIDATES = 8;

    /** Maximum number of clauses that are checked separately. */
    private static final int MOST_PARTS = 4;

    /** A sentence of a passage that supports a written sentence. */
    record Support(TwinPrompt.Packed packed, SentenceSpan line) {}

    /**
     * The result of the check of a sentence.
     *
     * @param words number of distinct content words
     * @param supports the supporting sentences; empty if there are none
     * @param reason why no source supports it; empty if one does
     */
    record Verdict(int words, List<Support> supports, String reason) {

        boolean supported() {
            return reason.isEmpty();
        }
    }

    /** A parsed source: a sentence of a passage, or two consecutive ones. */
    private record Candidate(
            TwinPrompt.Packed packed,
            List<SentenceSpan> lines,
            Statement statement,
            Optional<Statement> before,
            Optional<TableRow> row) {

        Set<String> headings() {
            return lines.get(0).section().stems();
        }

        long shared(Set<String> keys) {
            return statement.terms().stream()
                    .map(Term::key)
                    .distinct()
                    .filter(keys::contains)
                    .count();
        }
    }

    private final List<Candidate> candidates = new ArrayList<>();
    private final double minSupport;
    private final Set<String> own;
    private final Set<String> question;
    private final boolean asksWhat;
    private final Set<String> knownWords = new HashSet<>();
    private final Set<String> knownKeys = new HashSet<>();

    /**
     * @param own words that need no source, such as the twin's name
     * @param question the question; empty if it is irrelevant
     */
    Grounding(List<TwinPrompt.Packed> passages, double minSupport, String own, String question) {
        this.minSupport = minSupport;
        this.own = keys(Statement.of(own));
        this.question = keys(Statement.of(question));
        this.asksWhat =
                question.contains("?") && !ASKS_WHETHER.matcher(question).matches();
        for (TwinPrompt.Packed packed : passages) {
            know(packed.source().passage().heading());
            know(packed.source().passage().document());
            read(packed);
        }
    }

    private void read(TwinPrompt.Packed packed) {
        List<SentenceSpan> lines =
                packed.source().lines().stream().filter(packed::holds).toList();
        Optional<Statement> before = Optional.empty();
        String head = lines.isEmpty() || lines.get(0).range().start() > 0 ? "" : tableHead(packed);
        for (int i = 0; i < lines.size(); i++) {
            SentenceSpan line = lines.get(i);
            know(line.text());
            boolean isRow = line.range().kind() == Sentence.Kind.TABLE_ROW;
            head = isRow ? head : line.range().level() == 0 ? line.quote() : "";
            if (!line.isStatement() || CAPTION.matcher(line.text()).matches()) {
                before = Optional.empty();
                continue;
            }
            Statement statement = Statement.of(line.text());
            if (before.isPresent() && line.range().kind() == Sentence.Kind.PROSE) {
                Statement both = before.get().then(statement);
                List<SentenceSpan> pair = List.of(lines.get(i - 1), line);
                candidates.add(new Candidate(packed, pair, both, Optional.empty(), Optional.empty()));
            }
            Optional<TableRow> row = isRow ? Optional.of(TableRow.of(head, line.quote())) : Optional.empty();
            candidates.add(new Candidate(packed, List.of(line), statement, before, row));
            before = line.range().kind() == Sentence.Kind.PROSE ? Optional.of(statement) : Optional.empty();
        }
    }

    /** The head of a table that was split before the passage; empty if there is none. */
    private static String tableHead(TwinPrompt.Packed packed) {
        return packed.source()
                .passage()
                .lead()
                .lines()
                .filter(line -> line.contains("|"))
                .findFirst()
                .orElse("");
    }

    /**
     * @param cited numbers of the cited passages
     * @param previous the previous written sentence; empty for the first
     */
    Verdict check(String sentence, List<Integer> cited, String previous) {
        Set<String> words = new LinkedHashSet<>(Words.contentStems(sentence));
        words.removeAll(own);
        Statement claim = Statement.of(PASSAGE_NUMBER.matcher(sentence).replaceAll("$1"));
        Optional<String> reason = empty(sentence, claim).or(() -> unknown(claim));
        if (reason.isPresent()) {
            return new Verdict(words.size(), List.of(), reason.get());
        }
        Set<String> context = new HashSet<>(question);
        if (!question.isEmpty()) {
            context.addAll(keys(Statement.of(previous)));
        }
        Claim whole = new Claim(claim, isEnglish(sentence), context);
        List<Support> supports = supports(whole, cited);
        if (supports.isEmpty()) {
            supports = supportsOfParts(whole, cited, 1);
        }
        return supports.isEmpty()
                ? new Verdict(words.size(), List.of(), objection(whole, cited))
                : new Verdict(words.size(), supports, "");
    }

    /**
     * A written sentence, or a clause of it, to find a source for.
     *
     * @param tolerant whether it may have words that no passage contains; true if the function words of its language are
     *     known
     * @param context keys of the question and of the previous sentences
     */
    private record Claim(Statement statement, boolean tolerant, Set<String> context) {}

    private Optional<String> empty(String sentence, Statement claim) {
        List<Term> said = claim.terms().stream()
                .filter(term -> !own.contains(term.key()) && !Lexicon.isLight(term.text()))
                .toList();
        if (said.stream().allMatch(term -> term.kind() == Term.Kind.QUALIFIER || term.kind() == Term.Kind.NUMBER)) {
            return Optional.of("it says nothing that a passage could hold");
        }
        if (sentence.strip().endsWith("?")) {
            return Optional.of("it is a question");
        }
        boolean news = said.stream().anyMatch(term -> !question.contains(term.key()))
                || claim.terms().stream().anyMatch(term -> term.link().negated());
        return asksWhat && !news ? Optional.of("it only repeats the question") : Optional.empty();
    }

    /** The objection to a number or a name that is in no passage. */
    private Optional<String> unknown(Statement claim) {
        for (Term term : claim.terms()) {
            boolean known = knownKeys.contains(term.key())
                    || knownWords.contains(term.text().toLowerCase(Locale.ROOT))
                    || own.contains(term.key());
            if (!known && term.kind() == Term.Kind.NUMBER) {
                return Optional.of("the number " + term.text() + " is in no passage");
            }
            if (!known && term.kind() == Term.Kind.NAME) {
                return Optional.of("the name " + term.text() + " is in no passage");
            }
        }
        return Optional.empty();
    }

    /**
     * The supporting sentences: one for each cited passage that supports the claim; if none does, the first of any passage.
     */
    private List<Support> supports(Claim claim, List<Integer> cited) {
        List<Support> supports = new ArrayList<>();
        for (int number : cited.stream().distinct().toList()) {
            likely(claim, candidate -> candidate.packed().number() == number).stream()
                    .filter(candidate -> objection(claim, candidate).isEmpty())
                    .findFirst()
                    .ifPresent(candidate -> supports.addAll(support(candidate)));
        }
        if (supports.isEmpty()) {
            likely(claim, candidate -> true).stream()
                    .filter(candidate -> objection(claim, candidate).isEmpty())
                    .findFirst()
                    .ifPresent(candidate -> supports.addAll(support(candidate)));
        }
        return List.copyOf(supports);
    }

    private List<Support> supportsOfParts(Claim claim, List<Integer> cited, int parts) {
        Statement statement = claim.statement();
        for (int at = statement.terms().size() - 2; at >= 2 && parts < MOST_PARTS; at--) {
            Term.Link link = statement.terms().get(at).link();
            if (!link.has(Term.Trait.COORDINATED)
                    || statement.terms().get(0).link().has(Term.Trait.SUBORDINATE)) {
                continue;
            }
            Claim head = new Claim(statement.part(0, at), claim.tolerant(), claim.context());
            Claim rest = new Claim(statement.part(at, statement.terms().size()), claim.tolerant(), Set.of());
            List<Support> second = supportsOfPart(rest, cited);
            if (!second.isEmpty()) {
                List<Support> first = supportsOfPart(head, cited);
                first = first.isEmpty() ? supportsOfParts(head, cited, parts + 1) : first;
                if (!first.isEmpty()) {
                    List<Support> both = new ArrayList<>(first);
                    second.stream().filter(support -> !both.contains(support)).forEach(both::add);
                    return List.copyOf(both);
                }
            }
        }
        return List.of();
    }

    /** Like {@link #supports}, but only from sentences that start with the same subject as the part. */
    private List<Support> supportsOfPart(Claim part, List<Integer> cited) {
        Term subject = part.statement().terms().get(0);
        return likely(
                        part,
                        candidate ->
                                subject.isSaidBy(candidate.statement().terms().get(0)))
                .stream()
                .sorted(Comparator.comparing(
                        candidate -> !cited.contains(candidate.packed().number())))
                .filter(candidate -> objection(part, candidate).isEmpty())
                .findFirst()
                .map(Grounding::support)
                .orElse(List.of());
    }

    private static List<Support> support(Candidate candidate) {
        return candidate.lines().stream()
                .map(line -> new Support(candidate.packed(), line))
                .toList();
    }

    private List<Candidate> likely(Claim claim, Predicate<Candidate> among) {
        Set<String> keys = keys(claim.statement());
        return candidates.stream()
                .filter(candidate -> !candidate.statement().terms().isEmpty())
                .filter(among)
                .sorted(Comparator.<Candidate>comparingLong(candidate -> -candidate.shared(keys))
                        .thenComparingInt(candidate -> candidate.lines().size()))
                .limit(MOST_CANDIDATES)
                .toList();
    }

    private Optional<String> objection(Claim claim, Candidate candidate) {
        Optional<String> objection =
                objection(claim, Alignment.of(claim.statement(), candidate.statement()), candidate);
        if (objection.isEmpty()) {
            return objection;
        }
        Entailment.Surroundings around = around(claim, candidate);
        for (Statement reworded : Rewordings.of(claim.statement())) {
            if (isSaid(Alignment.of(reworded, candidate.statement()), around)) {
                return Optional.empty();
            }
        }
        boolean said = Rewordings.active(candidate.statement()).stream()
                        .anyMatch(active -> isSaid(Alignment.of(claim.statement(), active), around))
                || candidate.row().stream().anyMatch(row -> row.says(claim.statement(), candidate.headings()))
                || Change.of(candidate.statement()).stream().anyMatch(change -> change.says(claim.statement()));
        return said ? Optional.empty() : objection;
    }

    private static boolean isSaid(Alignment reworded, Entailment.Surroundings around) {
        Entailment entailment = new Entailment(reworded, around, true);
        return entailment.objection().isEmpty() && entailment.unsupported() == 0;
    }

    private Optional<String> objection(Claim claim, Alignment alignment, Candidate candidate) {
        Entailment entailment = new Entailment(alignment, around(claim, candidate), false);
        Optional<String> objection = entailment.objection();
        if (objection.isPresent()) {
            return objection;
        }
        int terms = claim.statement().terms().size();
        double share = (double) (terms - entailment.unsupported()) / terms;
        boolean enough = entailment.unsupported() == 0 || claim.tolerant() && share >= minSupport;
        return enough
                ? Optional.empty()
                : Optional.of("its source holds only " + Math.round(100 * share) + " % of its words; "
                        + Math.round(100 * minSupport) + " % are required");
    }

    private Entailment.Surroundings around(Claim claim, Candidate candidate) {
        return new Entailment.Surroundings(
                candidate.headings(), candidate.before(), claim.context(), knownKeys::contains, own);
    }

    /** The objection from the most similar source. */
    private String objection(Claim claim, List<Integer> cited) {
        return likely(claim, candidate -> candidate.lines().size() == 1).stream()
                .sorted(Comparator.comparingLong((Candidate candidate) -> -candidate.shared(keys(claim.statement())))
                        .thenComparing(
                                candidate -> !cited.contains(candidate.packed().number())))
                .findFirst()
                .flatMap(candidate -> objection(claim, candidate))
                .orElse("no sentence of the passages says it");
    }

    /** Whether at least one word in five is an English function word. */
    private static boolean isEnglish(String sentence) {
        List<Words.Word> words = Words.of(sentence);
        return 5 * words.stream().filter(word -> !word.content()).count() >= words.size();
    }

    private static Set<String> keys(Statement statement) {
        return statement.terms().stream().map(Term::key).collect(Collectors.toSet());
    }

    private void know(String text) {
        for (Words.Word word : Words.of(text)) {
            knownWords.add(word.text().toLowerCase(Locale.ROOT));
            knownKeys.add(word.stem());
        }
        knownKeys.addAll(keys(Statement.of(text)));
    }
}
