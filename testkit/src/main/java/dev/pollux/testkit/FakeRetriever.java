package dev.pollux.testkit;

import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A retriever over a few passages that scores the share of the query's words a passage holds. A passage that holds none
 * is not found. <em>Immutable and thread-safe.</em>
 */
public final class FakeRetriever implements Retriever {

    private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");
    private static final Pattern HEADING = Pattern.compile("(#{1,6})\\s+(.*)");
    private static final Pattern BLANK_LINES =
            Pattern.compile("(?:\\r\\n|\\n|\\r(?!\\n))[ \\t]*(?:\\r\\n|\\n|\\r(?!\\n))\\s*");

    private final List<Passage> passages;

    private FakeRetriever(List<Passage> passages) {
        this.passages = List.copyOf(passages);
    }

    /** Over the paragraphs of documents, as {@link #paragraphs} cuts them. */
    public static FakeRetriever over(Document... documents) {
        List<Passage> passages = new ArrayList<>();
        for (Document document : documents) {
            passages.addAll(paragraphs(document));
        }
        return new FakeRetriever(passages);
    }

    /** Over these passages. */
    public static FakeRetriever of(List<Passage> passages) {
        return new FakeRetriever(passages);
    }

    /** The whole document as one passage without headings. */
    public static Passage whole(Document document) {
        return passage(document, List.of(), 0, document.text().length());
    }

    /** The paragraphs of a Markdown text, parted by blank lines, with the headings above each; headings are none themselves. */
    public static List<Passage> paragraphs(Document document) {
        List<Passage> passages = new ArrayList<>();
        List<String> headings = new ArrayList<>();
        String text = document.text();
        int from = 0;
        for (Matcher gap = BLANK_LINES.matcher(text); from < text.length(); ) {
            boolean more = gap.find(from);
            addParagraph(document, from, more ? gap.start() : text.length(), headings, passages);
            from = more ? gap.end() : text.length();
        }
        return passages;
    }

    @Override
    public List<Hit> retrieve(Query query) {
        Interrupts.check();
        Set<String> wanted = words(query.text());
        List<Hit> hits = new ArrayList<>();
        for (Passage passage : passages) {
            if (!query.filter().matches(passage.metadata())) {
                continue;
            }
            Set<String> shared = words(passage.heading() + " " + passage.text());
            shared.retainAll(wanted);
            if (!shared.isEmpty()) {
                hits.add(new Hit(passage, (double) shared.size() / wanted.size()));
            }
        }
        return hits.stream()
                .sorted(Comparator.comparingDouble(Hit::score).reversed())
                .limit(query.topK())
                .toList();
    }

    private static void addParagraph(
            Document document, int from, int to, List<String> headings, List<Passage> passages) {
        String text = document.text().substring(from, to);
        int start = from + text.length() - text.stripLeading().length();
        int end = start + text.strip().length();
        if (start >= end) {
            return;
        }
        Matcher heading = HEADING.matcher(text.strip());
        if (heading.matches()) {
            int above = Math.min(headings.size(), heading.group(1).length() - 1);
            headings.subList(above, headings.size()).clear();
            headings.add(heading.group(2));
        } else {
            passages.add(passage(document, headings, start, end));
        }
    }

    private static Passage passage(Document document, List<String> headings, int start, int end) {
        String text = document.text();
        int firstLine = line(text, start);
        int lastLine = Math.max(firstLine, line(text, Math.max(start, end - 1)));
        return new Passage(
                document.id() + "#" + start,
                Origin.of(document.id()),
                headings,
                text.substring(start, end),
                start,
                end,
                Location.lines(firstLine, lastLine),
                "",
                document.mediaType(),
                document.metadata());
    }

    /** The line of a character, from 1; CR LF, LF and CR each end one. */
    private static int line(String text, int offset) {
        int line = 1;
        for (int i = 0; i < offset; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' && (i + 1 == text.length() || text.charAt(i + 1) != '\n')) {
                line++;
            }
        }
        return line;
    }

    private static Set<String> words(String text) {
        Set<String> words = new HashSet<>();
        Matcher matcher = WORD.matcher(text.toLowerCase(Locale.ROOT));
        while (matcher.find()) {
            words.add(matcher.group());
        }
        return words;
    }
}
