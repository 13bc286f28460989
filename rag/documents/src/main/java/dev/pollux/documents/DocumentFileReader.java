package dev.pollux.documents;

import dev.pollux.rag.source.DocumentReader;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.SourceFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Reads PDF, HTML, DOCX, PPTX, XLSX, ODT, EPUB, RTF and mail.
 *
 * <p>The text of a document is Markdown: headings, paragraphs, lists, tables and code of the file. Its places are pages (of PDF),
 * slides (of PPTX), cells (of XLSX) or lines (of HTML); files of other types have no finer location than the document. Metadata
 * are {@code title}, {@code author}, {@code language}, {@code created}, {@code updated}, {@code pages} and others where the file
 * has them; of mail {@code from}, {@code to}, {@code subject}, {@code date} and {@code attachments}.
 *
 * <p>A file that is damaged, encrypted, has no text, is of another type than its name says or exceeds a limit of
 * {@link ReaderOptions} is skipped with a reason. No other file is read or written, no program is started and no network address
 * is opened. <em>Thread-safe.</em>
 */
public final class DocumentFileReader implements DocumentReader {

    private static final Map<String, String> KINDS = Map.ofEntries(
            Map.entry("pdf", "PDF"),
            Map.entry("html", "HTML"),
            Map.entry("htm", "HTML"),
            Map.entry("xhtml", "HTML"),
            Map.entry("shtml", "HTML"),
            Map.entry("docx", "DOCX"),
            Map.entry("docm", "DOCX"),
            Map.entry("dotx", "DOCX"),
            Map.entry("pptx", "PPTX"),
            Map.entry("pptm", "PPTX"),
            Map.entry("ppsx", "PPTX"),
            Map.entry("xlsx", "XLSX"),
            Map.entry("xlsm", "XLSX"),
            Map.entry("odt", "ODT"),
            Map.entry("ott", "ODT"),
            Map.entry("epub", "EPUB"),
            Map.entry("rtf", "RTF"),
            Map.entry("eml", "EML"));

    private static final Map<String, BiConsumer<Parts, Extracted>> ARCHIVES = Map.of(
            "DOCX", DocxReader::read,
            "PPTX", PptxReader::read,
            "XLSX", XlsxReader::read,
            "ODT", OdtReader::read,
            "EPUB", EpubReader::read);

    /** To be raised if the text of some file comes out otherwise. */
    private static final String RECIPE = "documents-1";

    private static final System.Logger LOGGER = System.getLogger(DocumentFileReader.class.getName());
    private static final boolean LIBRARIES = hasLibraries();

    private final ReaderOptions options;

    private DocumentFileReader(ReaderOptions options) {
        this.options = options;
    }

    /** A reader with the default limits. */
    public static DocumentFileReader create() {
        return create(ReaderOptions.DEFAULTS);
    }

    /** A reader with options. */
    public static DocumentFileReader create(ReaderOptions options) {
        return new DocumentFileReader(options);
    }

    /** The file types; none if the host has excluded a library that this module needs. */
    @Override
    public Map<String, String> kinds() {
        return LIBRARIES ? KINDS : Map.of();
    }

    @Override
    public String recipe() {
        return RECIPE;
    }

    private static boolean hasLibraries() {
        for (String name : List.of("org.apache.pdfbox.Loader", "org.jsoup.Jsoup")) {
            try {
                Class.forName(name, false, DocumentFileReader.class.getClassLoader());
            } catch (ClassNotFoundException | LinkageError e) {
                LOGGER.log(System.Logger.Level.WARNING, "{0} is absent, so pollux-documents reads no file", name);
                return false;
            }
        }
        return true;
    }

    @Override
    public void read(SourceFile file, DocumentSink sink) {
        Extracted out = new Extracted(new Guard(options));
        Optional<String> reason = extract(file, out);
        if (reason.isPresent()) {
            sink.skipped(file.id(), reason.get());
            return;
        }
        out.notices().forEach(notice -> sink.notice(file.id(), notice));
        sink.document(out.document(file));
    }

    private Optional<String> extract(SourceFile file, Extracted out) {
        String kind = KINDS.getOrDefault(file.ending(), "");
        try {
            long size = Files.size(file.file());
            if (size == 0) {
                return Optional.of("is an empty file");
            }
            if (size > options.maxFileBytes()) {
                return Optional.of("is larger than " + options.maxFileBytes() + " bytes");
            }
            extract(kind, file.file(), out);
            return out.text().isEmpty() ? Optional.of("has no text") : Optional.empty();
        } catch (UnreadableException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            RuntimeException failure = Parts.failed(e);
            if (failure instanceof UnreadableException) {
                return Optional.of(String.valueOf(failure.getMessage()));
            }
            throw failure;
        }
    }

    private static void extract(String kind, Path file, Extracted out) throws IOException {
        BiConsumer<Parts, Extracted> archive = ARCHIVES.get(kind);
        if (archive != null) {
            checkArchive(kind, file);
            try (Parts parts = Parts.open(file, out.guard())) {
                archive.accept(parts, out);
            }
            return;
        }
        switch (kind) {
            case "PDF" -> PdfReader.read(file, out);
            case "HTML" -> HtmlText.page(Files.readAllBytes(file), out);
            case "RTF" -> RtfReader.read(Files.readAllBytes(file), out);
            case "EML" -> MailReader.read(Files.readAllBytes(file), out);
            default -> throw new UnreadableException("is of a type that is not read");
        }
    }

    /** An archive begins with PK; an encrypted Office file, or one of Office 97, with the mark of a compound file. */
    private static void checkArchive(String kind, Path file) throws IOException {
        byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(8);
        }
        if (head.length >= 2 && head[0] == 'P' && head[1] == 'K') {
            return;
        }
        boolean compound =
                head.length == 8 && (head[0] & 0xFF) == 0xD0 && (head[1] & 0xFF) == 0xCF && (head[2] & 0xFF) == 0x11;
        throw new UnreadableException(
                compound
                        ? "is encrypted, or in the format of Office 97; save it without a password as " + kind
                        : "is not " + kind + " by its content");
    }
}
