package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import dev.pollux.retrieval.Location;
import java.util.Objects;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.index.IndexableField;

/** The location of a passage in its fields, of which each kind has its own; see {@link IndexLayout}. */
final class StoredLocation {

    private StoredLocation() {}

    static void write(Location location, Document fields) {
        if (location instanceof Location.Lines lines) {
            fields.add(new StoredField(IndexLayout.FIRST_LINE, lines.first()));
            fields.add(new StoredField(IndexLayout.LAST_LINE, lines.last()));
        } else if (location instanceof Location.Pages pages) {
            fields.add(new StoredField(IndexLayout.FIRST_PAGE, pages.first()));
            fields.add(new StoredField(IndexLayout.LAST_PAGE, pages.last()));
        } else if (location instanceof Location.Cells cells) {
            fields.add(new StoredField(IndexLayout.SHEET, cells.sheet()));
            fields.add(new StoredField(IndexLayout.CELLS, cells.range()));
        } else if (location instanceof Location.Whole) {
            fields.add(new StoredField(IndexLayout.WHOLE_DOCUMENT, 1));
        } else {
            throw new IllegalArgumentException("A knowledge base has no form for the location " + location);
        }
    }

    /** Format 3 has lines alone, in the same fields. */
    static Location read(Document fields) {
        if (fields.getField(IndexLayout.FIRST_PAGE) != null) {
            return Location.pages(number(fields, IndexLayout.FIRST_PAGE), number(fields, IndexLayout.LAST_PAGE));
        }
        String range = fields.get(IndexLayout.CELLS);
        if (range != null) {
            return Location.cells(Objects.requireNonNullElse(fields.get(IndexLayout.SHEET), ""), range);
        }
        if (fields.getField(IndexLayout.WHOLE_DOCUMENT) != null) {
            return Location.whole();
        }
        return Location.lines(number(fields, IndexLayout.FIRST_LINE), number(fields, IndexLayout.LAST_LINE));
    }

    private static int number(Document fields, String name) {
        IndexableField field = fields.getField(name);
        if (field == null) {
            throw new MalformedFileException("A passage in the knowledge base has no " + name
                    + " and no other location; delete the knowledge base and ingest again");
        }
        return field.numericValue().intValue();
    }
}
