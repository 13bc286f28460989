package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a {@link ReaderProcess} and its parent write to each other.
 *
 * <pre>
 * child    int HELLO once; then the results of each file: frames, the last of which is END
 * parent   of each file: file, id, path    3 text
 * frame    byte type, then
 *          DOCUMENT         id, path, media type, text (4 text), metadata (int count; 2 text each),
 *                           places (int count; int start, location each)
 *          SKIPPED, FAILED, NOTICE   id, reason    2 text
 *          UNREAD           id, kind, reason       3 text
 *          END              nothing
 * location byte 0 whole | 1 lines | 2 pages: int first, int last | 3 cells: sheet, range (2 text)
 * text     int length in bytes, UTF-16 big-endian
 * </pre>
 *
 * <p>Whoever reads checks every length, since a child that reads a hostile file may write anything.
 */
final class ReaderFrames {

    static final int HELLO = 0x504C5852; // PLXR

    static final byte DOCUMENT = 1;
    static final byte SKIPPED = 2;
    static final byte FAILED = 3;
    static final byte NOTICE = 4;
    static final byte UNREAD = 5;
    static final byte END = 6;

    /** Most bytes of a text. */
    private static final int MOST_BYTES = 1 << 26;

    private static final int MOST_ENTRIES = 1 << 22;

    private ReaderFrames() {}

    /** A frame or a length that is not valid. */
    static final class MalformedFrameException extends IOException {
        private static final long serialVersionUID = 1L;

        MalformedFrameException(String message) {
            super(message);
        }
    }

    static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_16BE);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String text(DataInputStream in) throws IOException {
        int count = count(in, MOST_BYTES);
        byte[] bytes = in.readNBytes(count); // grows as it comes
        if (bytes.length < count) {
            throw new EOFException();
        }
        return new String(bytes, StandardCharsets.UTF_16BE);
    }

    private static int count(DataInputStream in, int most) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > most) {
            throw new MalformedFrameException("a length is " + count);
        }
        return count;
    }

    static void document(DataOutputStream out, Document document) throws IOException {
        out.writeByte(DOCUMENT);
        text(out, document.id());
        text(out, document.path());
        text(out, document.mediaType());
        text(out, document.text());
        out.writeInt(document.metadata().size());
        for (Map.Entry<String, String> entry : document.metadata().entrySet()) {
            text(out, entry.getKey());
            text(out, entry.getValue());
        }
        out.writeInt(document.places().size());
        for (Place place : document.places()) {
            out.writeInt(place.start());
            location(out, place.location());
        }
    }

    private static void location(DataOutputStream out, Location location) throws IOException {
        if (location instanceof Location.Lines lines) {
            range(out, 1, lines.first(), lines.last());
        } else if (location instanceof Location.Pages pages) {
            range(out, 2, pages.first(), pages.last());
        } else if (location instanceof Location.Cells cells) {
            out.writeByte(3);
            text(out, cells.sheet());
            text(out, cells.range());
        } else {
            out.writeByte(0);
        }
    }

    private static void range(DataOutputStream out, int kind, int first, int last) throws IOException {
        out.writeByte(kind);
        out.writeInt(first);
        out.writeInt(last);
    }

    static Document document(DataInputStream in) throws IOException {
        String id = text(in);
        String path = text(in);
        String mediaType = text(in);
        String text = text(in);
        Map<String, String> metadata = new HashMap<>();
        for (int i = count(in, MOST_ENTRIES); i > 0; i--) {
            metadata.put(text(in), text(in));
        }
        List<Place> places = new ArrayList<>();
        for (int i = count(in, MOST_ENTRIES); i > 0; i--) {
            places.add(new Place(in.readInt(), location(in)));
        }
        return new Document(id, path, mediaType, text, metadata, places);
    }

    private static Location location(DataInputStream in) throws IOException {
        byte kind = in.readByte();
        return switch (kind) {
            case 0 -> Location.whole();
            case 1 -> Location.lines(in.readInt(), in.readInt());
            case 2 -> Location.pages(in.readInt(), in.readInt());
            case 3 -> Location.cells(text(in), text(in));
            default -> throw new MalformedFrameException("a location is of kind " + kind);
        };
    }

    /** Writes to the parent what a reader finds. */
    record Writing(DataOutputStream out) implements DocumentSink {

        @Override
        public void expect(long documents) {
            // The parent knows its files.
        }

        @Override
        public void document(Document document) {
            try {
                ReaderFrames.document(out, document);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void skipped(String id, String reason) {
            frame(SKIPPED, id, reason);
        }

        @Override
        public void failedRecord(String id, String reason) {
            frame(FAILED, id, reason);
        }

        @Override
        public void unread(String id, String kind, String reason) {
            frame(UNREAD, id, kind, reason);
        }

        @Override
        public void notice(String id, String message) {
            frame(NOTICE, id, message);
        }

        private void frame(byte type, String... texts) {
            try {
                out.writeByte(type);
                for (String text : texts) {
                    text(out, text);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Passes the frames of a file to a sink. */
    static void pass(DataInputStream in, DocumentSink sink) throws IOException {
        for (byte type = in.readByte(); type != END; type = in.readByte()) {
            frame(type, in, sink);
        }
    }

    /** Passes a frame to a sink. */
    static void frame(byte type, DataInputStream in, DocumentSink sink) throws IOException {
        switch (type) {
            case DOCUMENT -> sink.document(document(in));
            case SKIPPED -> sink.skipped(text(in), text(in));
            case FAILED -> sink.failedRecord(text(in), text(in));
            case NOTICE -> sink.notice(text(in), text(in));
            case UNREAD -> sink.unread(text(in), text(in), text(in));
            default -> throw new MalformedFrameException("a frame is of type " + type);
        }
    }
}
