package dev.pollux.twin;

import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.FrontMatter;
import dev.pollux.internal.text.Headings;
import dev.pollux.internal.text.Inline;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import dev.pollux.internal.text.Words;
import dev.pollux.retrieval.Passage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** A parsed passage: its sentences with their words and contexts. <em>Immutable.</em> */
final class EvidencePassage {

    /** Metadata keys of a document's date; the last change takes precedence. */
    private static final List<String> DATES =
            List.of("updated", "lastmod", "last_modified", "modified", "date", "published", "created", "effective");

    /**
     * The headings above a line.
     *
     * @param heading the headings of the passage and those between its start and the line, outermost first, as one line; if
     *     there are none, the document's title
     * @param stems content words of the headings and the title
     * @param words all words of the headings and the title
     */
    record Section(String heading, Set<String> stems, List<Words.Word> words) {

        private static Section of(List<String> headings, String title, Language language) {
            String heading = headings.isEmpty() ? title : String.join(" > ", headings);
            String above = heading.contains(title) ? heading : title + " " + heading;
            return new Section(heading, Words.contentStems(above, language), Words.of(above, language));
        }
    }

    private final Passage passage;
    private final Reading reading; // of the passage's lead and text
    private final Language language;
    private final List<SentenceSpan> lines;

    private EvidencePassage(Passage passage, Reading reading, Language language, List<SentenceSpan> lines) {
        this.passage = passage;
        this.language = language;
        this.reading = reading;
        this.lines = List.copyOf(lines);
    }

    static EvidencePassage of(Passage passage) {
        String whole = passage.lead() + passage.text();
        Reading reading = passage.start() == 0
                ? Reading.of(whole, passage.mediaType())
                : Reading.ofPart(whole, passage.mediaType());
        Language language = Languages.of(passage.text());
        return new EvidencePassage(passage, reading, language, new Lines(passage, reading, language).read());
    }

    Passage passage() {
        return passage;
    }

    /** The language of the passage, to which its words and stems belong. */
    Language language() {
        return language;
    }

    List<SentenceSpan> lines() {
        return lines;
    }

    /** A range of the passage's text, verbatim except for invisible text. */
    String visible(int start, int end) {
        int lead = passage.lead().length();
        return reading.visible(lead + start, lead + end);
    }

    /** A range of the passage's text that is readable alone: a range from the start includes the passage's lead. */
    String readable(int start, int end) {
        return (start == 0 ? passage.lead() : "") + visible(start, end);
    }

    /** Whether a line is the first of its block in the passage. */
    boolean opensBlock(SentenceSpan line) {
        return line.index() == 0
                || !lines.get(line.index() - 1)
                        .range()
                        .block()
                        .equals(line.range().block());
    }

    Citation cite(int number, SentenceSpan line) {
        return cite(number, line, Excerpt.of(line));
    }

    /** The citation of an excerpt with the headings of one of its lines. */
    Citation cite(int number, SentenceSpan line, Excerpt excerpt) {
        return new Citation(
                number,
                passage.origin(),
                line.section().heading(),
                passage.location().part(passage.text(), excerpt.start(), excerpt.end()),
                excerpt.quote(),
                excerpt.text(),
                date());
    }

    private String date() {
        return DATES.stream()
                .map(name -> passage.metadata().getOrDefault(name, ""))
                .filter(value -> !value.isBlank())
                .findFirst()
                .orElse("");
    }

    /** Builds the lines of a passage. <em>Confined to one thread.</em> */
    private static final class Lines {

        private final Reading reading;
        private final Language language;
        private final List<Sentence> sentences;
        private final List<String> texts = new ArrayList<>();
        private final Headings headings;
        private final String title;
        private final int lead;
        private final Contexts contexts;
        private Section section;

        Lines(Passage passage, Reading reading, Language language) {
            this.reading = reading;
            this.language = language;
            this.sentences = Sentences.of(reading);
            this.headings = new Headings(passage.headings());
            this.title = passage.metadata().getOrDefault("title", "");
            this.lead = passage.lead().length();
            this.section = Section.of(passage.headings(), title, language);
            int first = (int) sentences.stream().filter(s -> s.start() < lead).count();
            this.contexts =
                    new Contexts(new Contexts.Text(reading, language, sentences), texts, subject(passage), first);
        }

        /** The document's subject: its title, its first heading, or its name. */
        private String subject(Passage passage) {
            if (!title.isEmpty()) {
                return title;
            }
            String name = passage.document().substring(passage.document().lastIndexOf('/') + 1);
            String spoken = name.replaceFirst("\\.[^.]*$", "").replaceAll("[-_.]+", " ");
            return Stream.concat(
                            passage.headings().stream(),
                            sentences.stream().filter(s -> s.level() > 0).map(s -> Inline.plain(s.of(reading.text()))))
                    .findFirst()
                    .orElse(spoken);
        }

        List<SentenceSpan> read() {
            List<SentenceSpan> lines = new ArrayList<>();
            for (int i = 0; i < sentences.size(); i++) {
                Sentence sentence = sentences.get(i);
                String quote = reading.visible(sentence.start(), sentence.end());
                texts.add(text(sentence, quote));
                if (sentence.level() > 0) {
                    section = Section.of(headings.below(sentence.level(), texts.get(i)), title, language);
                }
                Context context = contexts.next(i);
                if (sentence.start() >= lead) {
                    lines.add(line(lines.size(), sentence, quote, texts.get(i), context));
                }
            }
            return lines;
        }

        private String text(Sentence sentence, String quote) {
            return switch (sentence.kind()) {
                case CODE -> quote;
                case TABLE_ROW -> contexts.row(sentence, quote);
                case HEADING -> sentence.block().place().table() > 0 ? quote : Inline.plain(quote);
                case PROSE ->
                    sentence.block().kind() == Block.Kind.FRONT_MATTER
                            ? FrontMatter.shown(quote)
                            : Inline.plain(quote, sentence.block().place().quotes());
            };
        }

        private SentenceSpan line(int index, Sentence sentence, String quote, String text, Context context) {
            Sentence range = new Sentence(
                    sentence.start() - lead,
                    sentence.end() - lead,
                    sentence.kind(),
                    sentence.level(),
                    sentence.block());
            List<Words.Word> words = Words.of(text, language);
            Set<String> stems = new HashSet<>();
            words.stream().filter(Words.Word::content).map(Words.Word::stem).forEach(stems::add);
            return new SentenceSpan(index, range, quote, text, words, Set.copyOf(stems), section, context);
        }
    }
}
