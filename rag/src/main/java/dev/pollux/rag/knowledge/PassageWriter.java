package dev.pollux.rag.knowledge;

import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.rag.chunk.Chunk;
import dev.pollux.retrieval.Document;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.util.BytesRef;

/** Makes the block of Lucene documents of one document, as {@link IndexLayout} describes it. */
final class PassageWriter {

    private final String source;
    private final Document document;
    private final String key;
    private final Language language;
    private final List<org.apache.lucene.document.Document> block = new ArrayList<>();

    /** @param source key of the document's source */
    PassageWriter(String source, Document document) {
        this.source = source;
        this.document = document;
        this.key = IndexLayout.key(source, document.id());
        this.language = Languages.of(document.text());
    }

    void passage(Chunk chunk, String vectorKey, float[] vector) { // vector: (dimension)
        org.apache.lucene.document.Document fields = fields();
        fields.add(new StringField(IndexLayout.VECTOR_KEY, vectorKey, Field.Store.NO));
        fields.add(new BinaryDocValuesField(IndexLayout.VECTOR, new BytesRef(Vectors.bytes(vector))));
        Language spoken = Languages.of(chunk.text(document.text()), language);
        fields.add(new StringField(IndexLayout.LANGUAGE, spoken.code(), Field.Store.YES));
        fields.add(new TextField(IndexLayout.CONTENT, Analysis.stream(chunk.embeddingText(), spoken)));
        fields.add(new StoredField(IndexLayout.NUMBER, block.size()));
        fields.add(new StoredField(IndexLayout.DOCUMENT, document.id()));
        fields.add(new StoredField(IndexLayout.TEXT, chunk.text(document.text())));
        chunk.headings().forEach(heading -> fields.add(new StoredField(IndexLayout.HEADING, heading)));
        fields.add(new StoredField(IndexLayout.START, chunk.start()));
        fields.add(new StoredField(IndexLayout.END, chunk.end()));
        StoredLocation.write(chunk.location(), fields);
        fields.add(new StoredField(IndexLayout.MEDIA_TYPE, document.mediaType()));
        if (chunk.hasParent()) {
            fields.add(new NumericDocValuesField(IndexLayout.PARENT_START, chunk.parentStart()));
            fields.add(new NumericDocValuesField(IndexLayout.PARENT_END, chunk.parentEnd()));
        }
        if (!chunk.lead().isEmpty()) {
            fields.add(new StoredField(IndexLayout.LEAD, chunk.lead()));
        }
        if (!document.path().isEmpty()) {
            fields.add(new StoredField(IndexLayout.PATH, document.path()));
        }
        document.metadata().forEach((name, value) -> {
            fields.add(new StoredField(IndexLayout.METADATA, name));
            fields.add(new StoredField(IndexLayout.METADATA, value));
        });
        block.add(fields);
    }

    /** The block, closed by the document's record. */
    List<org.apache.lucene.document.Document> finish(String hash, String version, KnownFiles.Stamp file) {
        return finish(hash, version, file, Hashes.ofContent(document.text()));
    }

    /** @param content equal for documents of which only one is retrieved */
    List<org.apache.lucene.document.Document> finish(
            String hash, String version, KnownFiles.Stamp file, String content) {
        for (int i = 0; i < block.size(); i++) {
            block.get(i).add(new NumericDocValuesField(IndexLayout.TO_RECORD, block.size() - i));
        }
        org.apache.lucene.document.Document fields = fields();
        fields.add(new TextField(IndexLayout.WHOLE, Analysis.stream(document.text(), language)));
        fields.add(new BinaryDocValuesField(IndexLayout.RECORD_ID, new BytesRef(document.id())));
        fields.add(new BinaryDocValuesField(IndexLayout.VERSION, new BytesRef(version)));
        fields.add(new BinaryDocValuesField(IndexLayout.CONTENT_HASH, new BytesRef(content)));
        fields.add(new NumericDocValuesField(IndexLayout.PASSAGES, block.size()));
        fields.add(new StoredField(IndexLayout.ID, document.id()));
        fields.add(new StoredField(IndexLayout.PATH, document.path()));
        fields.add(new StoredField(IndexLayout.MEDIA_TYPE, document.mediaType()));
        fields.add(new StoredField(IndexLayout.CHARACTERS, document.text().length()));
        fields.add(new StoredField(IndexLayout.HASH, hash));
        stamp(file).forEach(fields::add);
        block.add(fields);
        return block;
    }

    /** The fields of a record that say in which version its file was read. */
    static List<BinaryDocValuesField> stamp(KnownFiles.Stamp file) {
        return file.content().isEmpty()
                ? List.of()
                : List.of(
                        new BinaryDocValuesField(IndexLayout.FILE_STATE, new BytesRef(file.state())),
                        new BinaryDocValuesField(IndexLayout.FILE_CONTENT, new BytesRef(file.content())));
    }

    private org.apache.lucene.document.Document fields() {
        org.apache.lucene.document.Document fields = new org.apache.lucene.document.Document();
        fields.add(new StringField(IndexLayout.KEY, key, Field.Store.NO));
        fields.add(new StringField(IndexLayout.SOURCE, source, Field.Store.YES));
        return fields;
    }
}
