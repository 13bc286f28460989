package dev.pollux.twin;

import dev.pollux.internal.text.Asking;
import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.Block.Item;
import dev.pollux.internal.text.Cells;
import dev.pollux.internal.text.Inline;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.Sentence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Determines the {@link Context} of each sentence, in the order of the text. <em>Confined to one thread.</em> */
final class Contexts {

    /*
     * One pass over the sentences. The state is the open question, the question in the current heading, the current term,
     * and the lead-in of each list and table. The first sentence that does not answer the open question closes it:
     *
     *   question                      sentences that answer it
     *   within a block                the rest of the block
     *   in a list item                the rest of the item
     *   marked, or a block by itself  all up to the next question, heading or front matter
     *   at the end of a paragraph     the next paragraph and the list that it introduces
     *
     * A lead-in is the sentence directly before a list, table or code if it ends with a colon or announces steps, if it is the
     * parent item of a nested list, or if it is the heading of an ordered list.
     */

    /** A heading of several words with such a beginning is a question, with or without a question mark. */
    private static final Pattern ASKING = Pattern.compile(
            "(?iu)(?:how|what|why|when|where|who|which|can|does|do|is|are|may|should|wie|was|warum|wann|wo|wer|welche[rs]?|kann|darf"
                    + "|comment|pourquoi|quand|où|qui|quel(?:le)?s?|cómo|qué|cuándo|dónde|quién|cuál|come|perché|quando|dove|chi)"
                    + "(?: \\S+){2,}");

    /** A front matter entry that names the document, as a heading does. */
    private static final Pattern TITLE = Pattern.compile("(?i)(?:sub)?title\\s*[:=].*|\\[.*");

    /** A lead-in of a list without a colon. */
    private static final Pattern LEADING =
            Pattern.compile("(?iu).*\\b(?:follow|following|steps?|these|below|folgende\\w*|schritte\\w*)\\b.*");

    private static final int FEW_WORDS = 6;
    private static final int LONGEST_QUESTION = 250;

    /** A text with its language and its sentences. */
    record Text(Reading reading, Language language, List<Sentence> sentences) {}

    private final Reading reading;
    private final Language language;
    private final List<Sentence> sentences;
    private final List<String> texts;
    private final String title;
    private final int first;
    private final Map<Integer, List<String>> heads = new HashMap<>(); // head cells by table
    private final Map<Integer, Integer> leads =
            new HashMap<>(); // index of the lead-in sentence by number of its list or table
    private int question = Context.NONE;
    private String headingAsks = "";
    private String term = "";

    /**
     * @param texts the display text of each sentence
     * @param title the document's title; empty if it has none
     * @param first the first sentence of the passage, which has index 0
     */
    Contexts(Text text, List<String> texts, String title, int first) {
        this.reading = text.reading();
        this.language = text.language();
        this.sentences = text.sentences();
        this.texts = texts;
        this.title = title;
        this.first = first;
    }

    /** The context of sentence {@code i}; call it for all sentences in ascending order. */
    Context next(int i) {
        Sentence sentence = sentences.get(i);
        Block block = sentence.block();
        boolean names = names(i);
        if (sentence.kind() == Sentence.Kind.HEADING || names) {
            heading(i, block);
            return Context.of(List.of(), language, names, Context.NONE, Context.NONE);
        }
        boolean asks = sentence.kind() == Sentence.Kind.PROSE
                && block.kind() != Block.Kind.FRONT_MATTER
                && (block.kind() == Block.Kind.QUESTION || Asking.isQuestion(texts.get(i)));
        if (!asks && question != Context.NONE && !answers(i)) {
            question = Context.NONE;
        }
        int lead = lead(i);
        List<String> parts = new ArrayList<>();
        if (!asks) {
            parts.add(question != Context.NONE ? asked(i) : headingAsks);
        }
        parts.add(block.kind() == Block.Kind.FRONT_MATTER ? title : "");
        parts.add(block.place().defines() ? term : "");
        parts.addAll(leading(lead));
        int answered = asks
                ? Context.NONE
                : question != Context.NONE ? question - first : headingAsks.isEmpty() ? Context.NONE : -1;
        if (asks) {
            question = i;
        }
        return Context.of(parts, language, asks, answered, lead == Context.NONE ? lead : lead - first);
    }

    /** Whether a sentence is only a name: the title in front matter, or a picture with a short description. */
    private boolean names(int i) {
        Sentence sentence = sentences.get(i);
        if (sentence.block().kind() == Block.Kind.FRONT_MATTER) {
            return TITLE.matcher(texts.get(i)).matches();
        }
        return sentence.kind() == Sentence.Kind.PROSE
                && reading.text().startsWith("![", sentence.start())
                && ")]".indexOf(reading.text().charAt(sentence.end() - 1)) >= 0
                && texts.get(i).split(" ", FEW_WORDS).length < FEW_WORDS;
    }

    /** A row as {@code column: value} pairs; only its cells if the table has no head. */
    String row(Sentence sentence, String quote) {
        List<String> head = heads.getOrDefault(sentence.block().place().table(), List.of());
        List<String> pairs = new ArrayList<>();
        List<String> cells = Cells.of(quote);
        for (int i = 0; i < cells.size(); i++) {
            String cell = Inline.plain(cells.get(i));
            String column = i < head.size() ? head.get(i) : "";
            if (!cell.isEmpty()) {
                pairs.add(column.isEmpty() ? cell : column + ": " + cell);
            }
        }
        return String.join("; ", pairs);
    }

    private void heading(int i, Block block) {
        switch (block.kind()) {
            case TABLE_HEAD -> {
                List<String> cells = new ArrayList<>();
                Cells.of(texts.get(i)).forEach(cell -> cells.add(Inline.plain(cell)));
                heads.put(block.place().table(), cells);
                leads.put(-block.place().table(), leadsInto(i));
            }
            case TERM -> {
                term = texts.get(i);
                question = Asking.isQuestion(term) ? i : Context.NONE;
            }
            default -> {
                if (block.level() > 0) {
                    String text = texts.get(i);
                    headingAsks =
                            Asking.isQuestion(text) || ASKING.matcher(text).matches() ? text : "";
                    question = Context.NONE;
                }
            }
        }
    }

    /** Whether sentence {@code i} answers the preceding question. */
    private boolean answers(int i) {
        Block asked = sentences.get(question).block();
        Block block = sentences.get(i).block();
        if (block.equals(asked)) {
            return true;
        }
        Block before = sentences.get(i - 1).block();
        boolean atItsEnd = question + 1 == i
                || !sentences.get(Math.min(question + 1, i)).block().equals(asked);
        Item item = asked.place().item();
        boolean marked = asked.kind() == Block.Kind.QUESTION || asked.kind() == Block.Kind.TERM || isAlone(asked);
        if (item != null && block.kind() != Block.Kind.ANSWER) {
            return atItsEnd && block.place().items().contains(item);
        }
        if (!atItsEnd || block.kind() == Block.Kind.FRONT_MATTER) {
            return false;
        }
        if (marked) {
            return true;
        }
        // After a question in passing, the next paragraph and the list that it leads into.
        return before.equals(asked)
                || before.equals(block)
                || leads(i - 1)
                || block.place().group() == before.place().group();
    }

    /** The question that {@code i} answers; if another block answers it, with the preceding sentences of its block. */
    private String asked(int i) {
        int from = question;
        Block block = sentences.get(question).block();
        while (from > 0
                && !sentences.get(i).block().equals(block)
                && sentences.get(from - 1).block().equals(block)) {
            from--;
        }
        String whole = String.join(" ", texts.subList(from, question + 1));
        return whole.length() <= LONGEST_QUESTION ? whole : texts.get(question);
    }

    /** Whether a block consists of one question only. */
    private boolean isAlone(Block asked) {
        return question == 0 || !sentences.get(question - 1).block().equals(asked);
    }

    private boolean leads(int i) {
        return texts.get(i).endsWith(":");
    }

    /** The lead-in of the list, table or code that contains {@code i}. */
    private int lead(int i) {
        Sentence sentence = sentences.get(i);
        Block.Place place = sentence.block().place();
        Item item = place.item();
        if (item != null) {
            return leads.computeIfAbsent(item.list(), list -> leadsInto(i));
        }
        if (place.table() > 0) {
            return leads.computeIfAbsent(-place.table(), table -> leadsInto(i));
        }
        if (sentence.kind() == Sentence.Kind.CODE) {
            boolean goesOn = i > 0 && sentences.get(i - 1).block().equals(sentence.block());
            return goesOn ? leads.getOrDefault(0, Context.NONE) : remember(leadsInto(i));
        }
        return Context.NONE;
    }

    private int remember(int lead) {
        leads.put(0, lead);
        return lead;
    }

    /**
     * The sentence directly before {@code i} if it introduces the block that starts there; otherwise {@link Context#NONE}.
     */
    private int leadsInto(int i) {
        if (i == 0) {
            return Context.NONE;
        }
        Sentence before = sentences.get(i - 1);
        Item item = sentences.get(i).block().place().item();
        boolean nested = item != null
                && sentences.get(i).block().place().items().size() > 1
                && before.block().place().items().size()
                        < sentences.get(i).block().place().items().size();
        boolean prose = before.kind() == Sentence.Kind.PROSE && before.block().kind() != Block.Kind.FRONT_MATTER;
        boolean announces = leads(i - 1)
                || item != null
                        && item.number() > 0
                        && LEADING.matcher(texts.get(i - 1)).matches();
        boolean titled = before.level() > 0 && item != null && item.number() > 0;
        return nested || prose && announces || titled ? i - 1 : Context.NONE;
    }

    /** The lead-ins of a list and of its enclosing list. */
    private List<String> leading(int lead) {
        List<String> parts = new ArrayList<>();
        int at = lead;
        for (int depth = 0; at != Context.NONE && depth < 4; depth++) {
            parts.add(0, texts.get(at));
            Item item = sentences.get(at).block().place().item();
            at = item == null ? Context.NONE : leads.getOrDefault(item.list(), Context.NONE);
        }
        return parts;
    }
}
