package dev.pollux.rag.knowledge;

import dev.pollux.internal.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.util.BytesRef;

/** The files of a source that have a document for each record. <em>Not thread-safe: one thread at a time.</em> */
final class RecordFiles {

    /*
     * A file is unchanged if its version is known, and if the documents whose ids begin with its id and "/" are those that it had:
     * a host may have deleted or replaced some of them. So the record of a file has their number and the sum, modulo 2^64, of a
     * hash of the id and the version of each. The record is written after the documents. A file with a record that could not be
     * read has none, so that each ingest reports it.
     */

    /** Number and sum of documents. */
    private static final class Sum {
        private int documents;
        private long sum;

        void add(String id, String version) {
            documents++;
            byte[] bytes = Sha256.digest().digest((id + "\n" + version).getBytes(StandardCharsets.UTF_8));
            sum += ByteBuffer.wrap(bytes).getLong();
        }

        String text() {
            return documents + " " + Long.toHexString(sum);
        }
    }

    /** A file that was read. */
    private record Read(String prefix, KnownFiles.Stamp stamp, String sum) {}

    private final Map<String, String> recorded = new HashMap<>(); // the text of the sum of a file, by prefix
    private final Map<String, Sum> found = new HashMap<>(); // of the documents that the knowledge base has, by prefix
    private final Set<String> met = new TreeSet<>(); // prefixes of the files that the source has
    private final List<Read> pending = new ArrayList<>();
    private Optional<Sum> open =
            Optional.empty(); // of the file that is being read, as long as all its records can be read

    /** Adds the files of a source. */
    void know(Snapshot snapshot, String source) throws IOException {
        snapshot.values(source, IndexLayout.FILE_SUM, recorded::put);
        if (!recorded.isEmpty()) {
            snapshot.values(source, IndexLayout.VERSION, this::count);
        }
    }

    private void count(String id, String version) {
        for (int slash = id.indexOf('/'); slash >= 0; slash = id.indexOf('/', slash + 1)) {
            String prefix = id.substring(0, slash + 1);
            if (recorded.containsKey(prefix)) {
                found.computeIfAbsent(prefix, key -> new Sum()).add(id, version);
            }
        }
    }

    /** Whether the id is that of a file with a document for each record. */
    static boolean isPrefix(String id) {
        return id.endsWith("/");
    }

    /** Whether the knowledge base has the documents that a file had when it was read last. */
    boolean isWhole(String prefix) {
        met.add(prefix);
        return found.getOrDefault(prefix, new Sum()).text().equals(recorded.get(prefix));
    }

    /** Number of documents of a file that the knowledge base has. */
    int documents(String prefix) {
        return found.getOrDefault(prefix, new Sum()).documents;
    }

    /** Begins a file. */
    void begin() {
        open = Optional.of(new Sum());
    }

    /** Adds a document, which belongs to the file that is being read, if one is. */
    void add(String id, String version) {
        open.ifPresent(sum -> sum.add(id, version));
    }

    /** Reports a record that cannot be read. */
    void spoil() {
        open = Optional.empty();
    }

    /** Ends a file. */
    void end(String prefix, KnownFiles.Stamp stamp) {
        open.filter(sum -> !stamp.content().isEmpty())
                .ifPresent(sum -> pending.add(new Read(prefix, stamp, sum.text())));
        open = Optional.empty();
    }

    /** Writes the records of the files that have ended, whose documents are written; visible after a commit. */
    int write(Store store, String source) {
        int written = pending.size();
        for (Read file : pending) {
            String key = IndexLayout.key(source, file.prefix());
            Document fields = new Document();
            fields.add(new StringField(IndexLayout.KEY, key, Field.Store.NO));
            fields.add(new StringField(IndexLayout.SOURCE, source, Field.Store.YES));
            fields.add(new BinaryDocValuesField(IndexLayout.RECORD_ID, new BytesRef(file.prefix())));
            fields.add(new BinaryDocValuesField(IndexLayout.FILE_SUM, new BytesRef(file.sum())));
            PassageWriter.stamp(file.stamp()).forEach(fields::add);
            store.replace(key, List.of(fields));
        }
        pending.clear();
        return written;
    }

    /** The files that the knowledge base knows and that the source has not shown. */
    List<String> vanished() {
        return recorded.keySet().stream()
                .filter(prefix -> !met.contains(prefix))
                .toList();
    }
}
