package dev.pollux.rag.knowledge;

/**
 * The Lucene index of a knowledge base, format {@value #FORMAT}.
 *
 * <p>A document is a block of Lucene documents that is written and deleted as a unit: its passages in order, then its
 * record. A source has a separate record, so that a new name or path does not rewrite its documents, and
 * so has a file with a document for each record.
 *
 * <pre>
 * both       key          indexed   key of the source # id
 *            source       both      key of the source, indexed and stored
 * passage    content      indexed   context, line break, text, by Analysis
 *            language     indexed, stored   ISO 639-1 of the text, by whose rules it is analysed; empty where unknown
 *            vectorKey    indexed   SHA-256 of what was embedded, in hex
 *            vector       values    floats, little-endian (4 * dimension bytes)
 *            number, document, text, heading (one each, in order),
 *            start, end, mediaType, metadata (pairs),
 *            lead, path (none where they are empty),
 *            firstLine, lastLine | firstPage, lastPage | sheet, cells
 *            | wholeDocument (1)   stored
 *            toRecord     values    how far behind it its record is
 *            parentStart, parentEnd   values    first character of its parent, and one past the last; none without a parent
 * record     whole        indexed   the document's text, by Analysis
 *            recordId     values    the document's id
 *            version      values    SHA-256 of content and chunking, in hex
 *            contentHash  values    SHA-256 of the text alone, in hex
 *            passages     values    how many
 *            fileState, fileContent   values    hash of the file's times and of its bytes, each with the rules by which it was
 *                         read, in hex; none where the document is not the only one of a file
 *            id, path, mediaType, characters, hash   stored
 * file       recordId     values    the id of a file with a document for each record, and "/"
 *            fileSum      values    number and sum of its documents ({@link RecordFiles})
 *            fileState, fileContent   as those of a record
 * source     key          indexed   key of the source, a decimal number
 *            sources      indexed
 *            name, named, path, link, changed, unreadable, other,
 *            skippedKind, skippedFile (pairs),
 *            rule (triples of pattern, field, value; none without metadata rules)   stored
 * </pre>
 *
 * <p>The commit data names the format, the embedder's name, fingerprint and dimension, the recipe and the
 * options of the chunking ({@link StoredChunking}), the time, the version of Pollux, the scale of the embedder on these documents
 * ({@link MeasuredScale}) and the derived files ({@link DerivedFile}). Options, version, scale and derived files are absent in
 * commits of earlier versions; without derived files, vectors are read from the index.
 *
 * <p>Format {@value #OLDEST_FORMAT} has no pages and no cells. It is readable; the first commit converts it to format
 * {@value #FORMAT}. Older ones are refused.
 */
final class IndexLayout {

    static final int FORMAT = 4;

    /** The oldest format that is read. */
    static final int OLDEST_FORMAT = 3;

    static final String KEY = "key";
    static final String SOURCE = "source";
    static final String CONTENT = "content";
    static final String LANGUAGE = "language";
    static final String VECTOR_KEY = "vectorKey";
    static final String VECTOR = "vector";
    static final String TO_RECORD = "toRecord";
    static final String PARENT_START = "parentStart";
    static final String PARENT_END = "parentEnd";
    static final String WHOLE = "whole";
    static final String ID = "id";
    static final String NUMBER = "number";
    static final String PATH = "path";
    static final String DOCUMENT = "document";
    static final String TEXT = "text";
    static final String HEADING = "heading";
    static final String START = "start";
    static final String END = "end";
    static final String FIRST_LINE = "firstLine";
    static final String LAST_LINE = "lastLine";
    static final String FIRST_PAGE = "firstPage";
    static final String LAST_PAGE = "lastPage";
    static final String SHEET = "sheet";
    static final String CELLS = "cells";
    static final String WHOLE_DOCUMENT = "wholeDocument";
    static final String LEAD = "lead";
    static final String METADATA = "metadata";
    static final String RECORD_ID = "recordId";
    static final String VERSION = "version";
    static final String MEDIA_TYPE = "mediaType";
    static final String CONTENT_HASH = "contentHash";
    static final String FILE_STATE = "fileState";
    static final String FILE_CONTENT = "fileContent";
    static final String FILE_SUM = "fileSum";
    static final String PASSAGES = "passages";
    static final String CHARACTERS = "characters";
    static final String HASH = "hash";

    static final String SOURCES = "sources";
    static final String NAME = "name";
    static final String NAMED = "named";
    static final String LINK = "link";
    static final String CHANGED = "changed";
    static final String UNREADABLE = "unreadable";
    static final String OTHER = "other";
    static final String SKIPPED_KIND = "skippedKind";
    static final String SKIPPED_FILE = "skippedFile";
    static final String RULE = "rule";

    static final String COMMIT_FORMAT = "pollux.format";
    static final String COMMIT_EMBEDDER = "pollux.embedder";
    static final String COMMIT_FINGERPRINT = "pollux.fingerprint";
    static final String COMMIT_DIMENSION = "pollux.dimension";
    static final String COMMIT_TIME = "pollux.time";
    static final String COMMIT_CHUNKING = "pollux.chunking";
    static final String COMMIT_CHUNK_OPTIONS = "pollux.chunkOptions";
    static final String COMMIT_VERSION = "pollux.version";
    static final String COMMIT_SCALE = "pollux.scale";
    static final String COMMIT_DERIVED = "pollux.derived";

    /** The longest value of doc values in Lucene is 32766 bytes. */
    static final int MAX_DIMENSION = 8191;

    private IndexLayout() {}

    /** The key of a document; {@code source} is the key of its source. */
    static String key(String source, String id) {
        return source + "#" + id;
    }
}
