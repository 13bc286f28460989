package dev.pollux.documents;

import dev.pollux.documents.Segment.Row;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.COSArray;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.cos.COSObject;
import org.apache.pdfbox.cos.COSObjectKey;
import org.apache.pdfbox.cos.COSStream;
import org.apache.pdfbox.io.IOUtils;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDDocumentInformation;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.encryption.InvalidPasswordException;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineItem;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineNode;
import org.jspecify.annotations.Nullable;

/** Reads PDF with PDFBox: ISO 32000. <em>Confined to one thread.</em> */
final class PdfReader {

    private static final int HEAD = 1024;
    private static final int DEEPEST_OUTLINE = 6;
    private static final int MOST_HEADINGS = 10_000;

    /** Packed streams of up to so many bytes cannot unpack to much. */
    private static final int SMALL_STREAM = 64 << 10;

    private final Extracted out;
    private final Guard guard;

    private PdfReader(Extracted out) {
        this.out = out;
        this.guard = out.guard();
    }

    static void read(Path file, Extracted out) {
        try {
            checkType(file);
            PdfFonts.without(() -> {
                try (PDDocument document = open(file, out.guard().options().passwords())) {
                    new PdfReader(out).read(document);
                }
            });
        } catch (InvalidPasswordException e) {
            throw new UnreadableException("is encrypted; give its password", e);
        } catch (IOException e) {
            throw damaged(e);
        } catch (ClassCastException | IllegalArgumentException | NullPointerException | IndexOutOfBoundsException e) {
            throw new UnreadableException(
                    "is a damaged PDF", e); // what PDFBox throws on objects of another type than expected
        }
    }

    private static RuntimeException damaged(IOException e) {
        RuntimeException failure = Parts.failed(e);
        boolean cancelled = !(failure instanceof UnreadableException);
        return cancelled ? failure : new UnreadableException("is a damaged PDF: " + e.getMessage(), e);
    }

    private static void checkType(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            String head = new String(in.readNBytes(HEAD), StandardCharsets.ISO_8859_1);
            if (!head.contains("%PDF-")) {
                throw new UnreadableException("is not PDF by its content");
            }
        }
    }

    private static PDDocument open(Path file, List<String> passwords) throws IOException {
        InvalidPasswordException last = null;
        for (String password : Stream.concat(Stream.of(""), passwords.stream()).toList()) {
            try {
                return Loader.loadPDF(file.toFile(), password, IOUtils.createMemoryOnlyStreamCache());
            } catch (InvalidPasswordException e) {
                last = e;
            }
        }
        throw last == null ? new IOException("no password was tried") : last;
    }

    private void read(PDDocument document) throws IOException {
        int count = document.getNumberOfPages();
        guard.checkPages(count);
        checkStreams(document);
        information(document);
        out.field("pages", String.valueOf(count));
        PdfGlyphs glyphs = new PdfGlyphs(guard);
        List<List<Row>> pages = new ArrayList<>();
        int images = 0;
        int damaged = 0;
        for (int i = 1; i <= count; i++) {
            guard.checkTime();
            List<Row> rows = List.of();
            try {
                rows = glyphs.rows(document, i);
            } catch (IOException e) {
                damaged++;
            }
            pages.add(rows);
            images += rows.isEmpty() && hasImage(document.getPage(i - 1)) ? 1 : 0;
        }
        if (pages.stream().allMatch(List::isEmpty)) {
            throw new UnreadableException(none(count, images, damaged));
        }
        notices(images, damaged);
        List<List<Row>> cleaned = RunningLines.without(pages);
        PdfText text = new PdfText(out, cleaned, outline(document));
        for (int i = 0; i < cleaned.size(); i++) {
            text.page(i + 1, PageLayout.of(cleaned.get(i), guard));
        }
        text.flush();
    }

    private static String none(int pages, int images, int damaged) {
        if (images > 0) {
            return "has no text layer (" + images + (images == 1 ? " page" : " pages") + " of images)";
        }
        return damaged > 0
                ? "is a damaged PDF: none of its pages can be read"
                : pages == 0 ? "has no pages" : "has no text";
    }

    private void notices(int images, int damaged) {
        if (images > 0) {
            out.notice("has " + images + (images == 1 ? " page" : " pages") + " of images without a text layer");
        }
        if (damaged > 0) {
            out.notice("has " + damaged + " damaged " + (damaged == 1 ? "page" : "pages"));
        }
    }

    /** Unpacks the large streams once, without keeping them, so that a bomb is found before PDFBox unpacks it into memory. */
    private void checkStreams(PDDocument document) throws IOException {
        for (COSObjectKey key :
                List.copyOf(document.getDocument().getXrefTable().keySet())) {
            guard.step();
            COSObject object = document.getDocument().getObjectFromPool(key);
            COSBase base = object == null ? null : object.getObject();
            if (base instanceof COSStream stream && stream.getLength() > SMALL_STREAM && !isImage(stream)) {
                COSBase filter = stream.getFilters();
                boolean flate = COSName.FLATE_DECODE.equals(filter)
                        || filter instanceof COSArray array
                                && array.size() > 0
                                && COSName.FLATE_DECODE.equals(array.get(0));
                if (flate) {
                    try (InputStream in = guard.inflating(
                            new InflaterInputStream(stream.createRawInputStream()), stream.getLength())) {
                        in.transferTo(OutputStream.nullOutputStream());
                    } catch (ZipException | EOFException e) {
                        guard.step(); // a damaged stream; PDFBox reads the part that it can
                    }
                }
            }
        }
    }

    private static boolean isImage(COSStream stream) {
        return COSName.IMAGE.equals(stream.getCOSName(COSName.SUBTYPE));
    }

    private static boolean hasImage(PDPage page) {
        PDResources resources = page.getResources();
        if (resources != null) {
            for (COSName name : resources.getXObjectNames()) {
                if (resources.isImageXObject(name)) {
                    return true;
                }
            }
        }
        return false;
    }

    private void information(PDDocument document) {
        PDDocumentInformation information = document.getDocumentInformation();
        field("title", information.getTitle());
        field("author", information.getAuthor());
        field("subject", information.getSubject());
        field("keywords", information.getKeywords());
        field("language", document.getDocumentCatalog().getLanguage());
        date("created", information.getCreationDate());
        date("updated", information.getModificationDate());
    }

    private void field(String name, @Nullable String value) {
        if (value != null) {
            out.field(name, value);
        }
    }

    private void date(String name, @Nullable Calendar date) {
        if (date != null) {
            out.field(name, Instant.ofEpochMilli(date.getTimeInMillis()).toString());
        }
    }

    private List<PdfText.Heading> outline(PDDocument document) {
        List<PdfText.Heading> headings = new ArrayList<>();
        PDOutlineNode root = document.getDocumentCatalog().getDocumentOutline();
        if (root != null) {
            headings(document, root, 1, headings);
        }
        return headings;
    }

    private void headings(PDDocument document, PDOutlineNode node, int level, List<PdfText.Heading> headings) {
        for (PDOutlineItem item : node.children()) {
            guard.step();
            if (headings.size() >= MOST_HEADINGS) {
                return;
            }
            String title = item.getTitle();
            int page = page(document, item);
            if (title != null && page > 0) {
                headings.add(new PdfText.Heading(level, title, page));
            }
            if (level < DEEPEST_OUTLINE) {
                headings(document, item, level + 1, headings);
            }
        }
    }

    private static int page(PDDocument document, PDOutlineItem item) {
        try {
            PDPage page = item.findDestinationPage(document);
            return page == null ? 0 : document.getPages().indexOf(page) + 1;
        } catch (IOException e) {
            return 0;
        }
    }
}
