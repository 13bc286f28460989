package dev.pollux.rag.knowledge;

import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;

/** Documents and passages of a commit, from their stored fields (see {@link IndexLayout}). Valid as long as its reader. */
final class StoredDocuments {

    private final DirectoryReader reader;
    private final Sources sources;

    StoredDocuments(DirectoryReader reader, Sources sources) {
        this.reader = reader;
        this.sources = sources;
    }

    /** A function of a document's number and the number of its passages. */
    @FunctionalInterface
    interface Visitor {
        void visit(int doc, long passages) throws IOException;
    }

    /** A passage by its number, with the paths of the copies of its document. */
    Passage passage(int doc, List<String> copies) throws IOException {
        Document fields = reader.storedFields().document(doc);
        SourceRecord source = sources.get(fields.get(IndexLayout.SOURCE));
        String document = fields.get(IndexLayout.DOCUMENT);
        String own = Objects.requireNonNullElse(fields.get(IndexLayout.PATH), "");
        return new Passage(
                source.name() + "#" + document + "#" + number(fields, IndexLayout.NUMBER),
                new Origin(source.name(), document, source.pathOf(own, document), copies),
                Arrays.asList(fields.getValues(IndexLayout.HEADING)),
                fields.get(IndexLayout.TEXT),
                number(fields, IndexLayout.START),
                number(fields, IndexLayout.END),
                StoredLocation.read(fields),
                Objects.requireNonNullElse(fields.get(IndexLayout.LEAD), ""),
                Objects.requireNonNullElse(fields.get(IndexLayout.MEDIA_TYPE), Passage.MARKDOWN),
                SegmentMetadata.of(fields));
    }

    /** The passages of a document in order, with their numbers in the index, by the name of its source. */
    Map<Integer, Passage> numbered(String source, String document) throws IOException {
        Map<Integer, Passage> passages = new LinkedHashMap<>();
        Optional<SourceRecord> known = sources.named(source);
        if (known.isPresent()) {
            Term term = new Term(IndexLayout.KEY, IndexLayout.key(known.get().key(), document));
            for (LeafReaderContext leaf : reader.leaves()) {
                PostingsEnum docs = leaf.reader().postings(term, PostingsEnum.NONE);
                NumericDocValues distances = leaf.reader().getNumericDocValues(IndexLayout.TO_RECORD);
                Bits live = leaf.reader().getLiveDocs();
                while (docs != null && distances != null && docs.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
                    int doc = docs.docID();
                    if ((live == null || live.get(doc)) && distances.advanceExact(doc)) {
                        passages.put(leaf.docBase + doc, passage(leaf.docBase + doc, List.of()));
                    }
                }
            }
        }
        return passages;
    }

    /** The passages of a document, in order, by the name of its source. */
    List<Passage> passages(String source, String document) throws IOException {
        return List.copyOf(numbered(source, document).values());
    }

    /** The stored passages of a document, in order; {@code source} is the key of its source. */
    String text(String source, String id) throws IOException {
        Term term = new Term(IndexLayout.KEY, IndexLayout.key(source, id));
        StringBuilder text = new StringBuilder();
        for (LeafReaderContext leaf : reader.leaves()) {
            PostingsEnum docs = leaf.reader().postings(term, PostingsEnum.NONE);
            Bits live = leaf.reader().getLiveDocs();
            for (int doc = docs == null ? DocIdSetIterator.NO_MORE_DOCS : docs.nextDoc();
                    doc != DocIdSetIterator.NO_MORE_DOCS;
                    doc = docs.nextDoc()) {
                String passage = live != null && !live.get(doc)
                        ? null
                        : leaf.reader().storedFields().document(doc).get(IndexLayout.TEXT);
                text.append(passage == null ? "" : passage + "\n");
            }
        }
        return text.toString();
    }

    /** Every document, in the order of the index. */
    List<KnownDocument> documents() throws IOException {
        List<KnownDocument> documents = new ArrayList<>();
        each((doc, passages) -> documents.add(document(doc, passages)));
        return documents;
    }

    /** The number of documents. */
    int count() throws IOException {
        int[] count = new int[1];
        each((doc, passages) -> count[0]++);
        return count[0];
    }

    /** Visits the record of each document, in the order of the index. */
    void each(Visitor visitor) throws IOException {
        for (LeafReaderContext leaf : reader.leaves()) {
            NumericDocValues passages = leaf.reader().getNumericDocValues(IndexLayout.PASSAGES);
            Bits live = leaf.reader().getLiveDocs();
            if (passages == null) {
                continue;
            }
            for (int doc = passages.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = passages.nextDoc()) {
                if (live == null || live.get(doc)) {
                    visitor.visit(leaf.docBase + doc, passages.longValue());
                }
            }
        }
    }

    /** The key of the source of a document or passage. */
    String source(int doc) throws IOException {
        return reader.storedFields().document(doc, Set.of(IndexLayout.SOURCE)).get(IndexLayout.SOURCE);
    }

    /** A document by the number of its record. */
    KnownDocument document(int doc, long passages) throws IOException {
        Document fields = reader.storedFields().document(doc);
        SourceRecord source = sources.get(fields.get(IndexLayout.SOURCE));
        String id = fields.get(IndexLayout.ID);
        return new KnownDocument(
                source.name(),
                id,
                source.pathOf(fields.get(IndexLayout.PATH), id),
                fields.get(IndexLayout.MEDIA_TYPE),
                Math.toIntExact(passages),
                number(fields, IndexLayout.CHARACTERS),
                fields.get(IndexLayout.HASH));
    }

    private static int number(Document fields, String name) {
        return fields.getField(name).numericValue().intValue();
    }
}
