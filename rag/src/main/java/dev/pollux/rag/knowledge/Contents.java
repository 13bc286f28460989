package dev.pollux.rag.knowledge;

import dev.pollux.internal.text.WordSets;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The contents of a source's documents, for comparison with others. <em>Not thread-safe: one thread at a time.</em> */
final class Contents implements DocumentSink {

    /** Minimum fraction of shared words for two texts of one path to be versions of one document. */
    private static final double ALIKE = 0.5;

    /** So much of a text is compared. */
    private static final int MOST_CHARACTERS = 20_000;

    private static final String BLANK = Hashes.ofContent("");
    private static final Pattern SHARED_BY_MANY = Pattern.compile("(?:.*/)?(?:licen[cs]e|copying|notice)[^/]*");
    private static final Pattern NO_WORD = Pattern.compile("[^\\p{L}\\p{N}]+");

    private final Set<String> hashes = new HashSet<>();
    private final Map<String, Set<String>> words = new HashMap<>(); // by id

    private final Set<String> compared;

    private Contents(Set<String> compared) {
        this.compared = compared;
    }

    /** @param compared ids of the documents whose words are kept: those that {@link #resembles} is asked for */
    static Contents of(DocumentSource source, Set<String> compared) {
        Contents contents = new Contents(compared);
        source.read(contents);
        return contents;
    }

    /** Whether a document is evidence for its source: it is neither empty nor a licence. */
    static boolean counts(String id, String hash) {
        return !hash.equals(BLANK)
                && !SHARED_BY_MANY.matcher(id.toLowerCase(Locale.ROOT)).matches();
    }

    /** Whether a document has the text with this hash. */
    boolean holds(String hash) {
        return hashes.contains(hash);
    }

    /** Whether the document with this id is a version of a text. */
    boolean resembles(String id, String text) {
        Set<String> here = words.getOrDefault(id, Set.of());
        return !here.isEmpty() && WordSets.jaccard(here, words(text)) >= ALIKE;
    }

    private static Set<String> words(String text) {
        String part = text.substring(0, Math.min(MOST_CHARACTERS, text.length()));
        return NO_WORD.splitAsStream(part.toLowerCase(Locale.ROOT)).collect(HashSet::new, Set::add, Set::addAll);
    }

    @Override
    public void document(Document document) {
        hashes.add(Hashes.ofContent(document.text()));
        if (compared.contains(document.id())) {
            words.put(document.id(), words(document.text()));
        }
    }

    @Override
    public void expect(long documents) {
        // Nobody waits for a number.
    }

    @Override
    public void skipped(String id, String reason) {
        // Ingest tells it.
    }

    @Override
    public void unread(String id, String kind, String reason) {
        // Ingest tells it.
    }

    @Override
    public void notice(String id, String message) {
        // Ingest tells it.
    }
}
