package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.FixedBitSet;

/** Documents of one commit with the same text as another. <em>Immutable.</em> */
final class Duplicates {

    /*
     * Documents are duplicates if the hashes of their texts are equal after normalizing line ends and trimming white space.
     * One document of each group is retrieved; the others are hidden before scoring, so copies fill neither the candidates
     * nor the result. Order of preference: a document whose source still exists, then the smallest depth in its source, then
     * the shortest name, since copies tend to have longer names.
     *
     * The filter is applied first: an excluded document neither hides an allowed copy nor is listed as a copy.
     *
     * Rejected: removing duplicates from the results. A query for ten hits would need an unknown number of extra candidates.
     */

    /** Hexadecimal digits in a key of 64 bits. */
    private static final int KEY_CHARACTERS = 16;

    /** The maximum number of copies listed. */
    private static final int MOST_COPIES = 20;

    private final List<List<Member>> groups; // of two and more, in the order in which they are retrieved
    private final int maxDoc;

    /** A document: its record in the whole index. */
    private record Member(int record, int passages, SourceRecord source, boolean missing, String id, String path) {}

    private static final Comparator<Member> ORDER = Comparator.comparing(Member::missing)
            .thenComparingLong(
                    member -> member.id().chars().filter(c -> c == '/').count())
            .thenComparingInt(member -> member.id().length())
            .thenComparing(member -> member.source().name())
            .thenComparing(Member::id);

    /**
     * The selection from all groups.
     *
     * @param hidden passages and records that are not retrieved
     * @param copies paths of the duplicates of a retrieved document, by its record
     */
    record Choice(FixedBitSet hidden, Map<Integer, List<String>> copies) {} // hidden: (maxDoc)

    private Duplicates(List<List<Member>> groups, int maxDoc) {
        this.groups = groups;
        this.maxDoc = maxDoc;
    }

    static Duplicates of(DirectoryReader reader, Sources sources) throws IOException {
        List<List<Member>> groups = new ArrayList<>();
        for (List<int[]> group : groups(reader)) {
            List<Member> members = new ArrayList<>();
            for (int[] record : group) {
                members.add(member(reader.storedFields(), record[0], record[1], sources));
            }
            members.sort(ORDER);
            groups.add(members);
        }
        return new Duplicates(groups, reader.maxDoc());
    }

    boolean isEmpty() {
        return groups.isEmpty();
    }

    /** The selection from a subset of documents, given by their records. */
    Choice among(IntPredicate allowed) {
        FixedBitSet hidden = new FixedBitSet(Math.max(1, maxDoc));
        Map<Integer, List<String>> copies = new HashMap<>();
        for (List<Member> group : groups) {
            List<Member> members = group.stream()
                    .filter(member -> allowed.test(member.record()))
                    .toList();
            if (members.size() > 1) {
                Member first = members.get(0);
                List<Member> others = members.subList(1, members.size());
                others.forEach(other -> hidden.set(other.record() - other.passages(), other.record() + 1));
                copies.put(first.record(), paths(first, others));
            }
        }
        return new Choice(hidden, copies);
    }

    private static List<String> paths(Member first, List<Member> others) {
        return others.stream()
                .filter(other -> !other.missing() || first.missing())
                .map(Member::path)
                .filter(path -> !path.equals(first.path()))
                .distinct()
                .sorted()
                .limit(MOST_COPIES)
                .toList();
    }

    /** The groups of two and more, each document as its record and the number of its passages. */
    private static List<List<int[]>> groups(DirectoryReader reader) throws IOException {
        long[] shared = shared(reader);
        Map<BytesRef, List<int[]>> byContent = new HashMap<>();
        forEachContent(reader, (content, record, passages) -> {
            if (Arrays.binarySearch(shared, key(content)) >= 0) {
                byContent
                        .computeIfAbsent(BytesRef.deepCopyOf(content), hash -> new ArrayList<>(1))
                        .add(new int[] {record, passages});
            }
        });
        return byContent.values().stream().filter(group -> group.size() > 1).collect(Collectors.toList());
    }

    /** The keys of contents that more than one document has, sorted: eight bytes a document, however many there are. */
    private static long[] shared(DirectoryReader reader) throws IOException {
        LongList keys = new LongList();
        forEachContent(reader, (content, record, passages) -> keys.add(key(content)));
        long[] sorted = keys.sorted();
        int count = 0;
        for (int i = 1; i < sorted.length; i++) {
            boolean again = sorted[i] == sorted[i - 1];
            if (again && (count == 0 || sorted[count - 1] != sorted[i])) {
                sorted[count++] = sorted[i];
            }
        }
        return Arrays.copyOf(sorted, count);
    }

    private static long key(BytesRef content) {
        long key = 0;
        for (int i = 0; i < Math.min(KEY_CHARACTERS, content.length); i++) {
            key = key << 4 | Character.digit(content.bytes[content.offset + i], 16) & 0xF;
        }
        return key;
    }

    /** Receives a document with passages. */
    @FunctionalInterface
    private interface ContentReceiver {
        void accept(BytesRef content, int record, int passages);
    }

    private static void forEachContent(DirectoryReader reader, ContentReceiver to) throws IOException {
        for (LeafReaderContext leaf : reader.leaves()) {
            LeafReader segment = leaf.reader();
            NumericDocValues passages = segment.getNumericDocValues(IndexLayout.PASSAGES);
            BinaryDocValues contents = segment.getBinaryDocValues(IndexLayout.CONTENT_HASH);
            Bits live = segment.getLiveDocs();
            if (passages == null || contents == null) {
                continue;
            }
            for (int doc = passages.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = passages.nextDoc()) {
                if ((live == null || live.get(doc)) && passages.longValue() > 0 && contents.advanceExact(doc)) {
                    to.accept(contents.binaryValue(), leaf.docBase + doc, Math.toIntExact(passages.longValue()));
                }
            }
        }
    }

    /** A growing list of numbers. */
    private static final class LongList {
        private long[] values = new long[1024]; // (size and room)
        private int size;

        void add(long value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, size + size / 2);
            }
            values[size++] = value;
        }

        long[] sorted() {
            long[] sorted = Arrays.copyOf(values, size);
            Arrays.sort(sorted);
            return sorted;
        }
    }

    private static Member member(StoredFields stored, int record, int passages, Sources sources) throws IOException {
        Document fields = stored.document(record);
        SourceRecord source = sources.get(fields.get(IndexLayout.SOURCE));
        String id = fields.get(IndexLayout.ID);
        String path = source.pathOf(fields.get(IndexLayout.PATH), id);
        return new Member(record, passages, source, sources.isMissing(source), id, path);
    }
}
