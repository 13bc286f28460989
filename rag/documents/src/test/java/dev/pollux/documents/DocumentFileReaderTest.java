package dev.pollux.documents;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.SourceFile;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DocumentFileReaderTest {

    @TempDir
    Path folder;

    private final List<Document> documents = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();

    @Test
    void wordHasHeadingsListsTablesAndFootnotesButNoDeletedText() throws IOException {
        Path file = zip(
                "a.docx",
                Map.of(
                        "word/styles.xml",
                        "<w:styles xmlns:w='w'><w:style w:styleId='b1'><w:name w:val='heading 1'/></w:style>"
                                + "<w:style w:styleId='b2'><w:basedOn w:val='b1'/></w:style></w:styles>",
                        "word/numbering.xml",
                        "<w:numbering xmlns:w='w'><w:abstractNum w:abstractNumId='7'><w:lvl w:ilvl='0'><w:numFmt w:val='decimal'/></w:lvl>"
                                + "</w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num></w:numbering>",
                        "word/footnotes.xml",
                        "<w:footnotes xmlns:w='w'><w:footnote w:id='2'><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>",
                        "word/document.xml",
                        "<w:document xmlns:w='w'><w:body><w:p><w:pPr><w:pStyle w:val='b2'/></w:pPr><w:r><w:t>Rules</w:t></w:r></w:p>"
                                + item("First") + item("Second")
                                + "<w:p><w:r><w:t>It is </w:t></w:r><w:del><w:r><w:delText>ten</w:delText></w:r></w:del><w:ins><w:r><w:t>a * b</w:t></w:r>"
                                + "</w:ins><w:r><w:footnoteReference w:id='2'/></w:r></w:p>"
                                + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>A</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>B|C</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
                                + "</w:body></w:document>"));

        assertThat(text(file))
                .isEqualTo("# Rules\n\n1. First\n2. Second\n\nIt is a * b\n\nA note.\n\n| A | B\\|C |\n|---|---|");
        assertThat(documents.get(0).places()).containsExactly(new Place(0, Location.whole()));
    }

    private static String item(String text) {
        return "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>" + text
                + "</w:t></w:r></w:p>";
    }

    @Test
    void cellsHaveTheirDisplayFormAndTheirPlaces() throws IOException {
        Path file = zip(
                "a.xlsx",
                Map.of(
                        "xl/workbook.xml",
                        "<workbook xmlns:r='http://x/relationships'><sheets><sheet name='Costs' r:id='1'/><sheet name='No' state='veryHidden' r:id='2'/>"
                                + "</sheets></workbook>",
                        "xl/_rels/workbook.xml.rels",
                        "<Relationships><Relationship Id='1' Type='x/worksheet' Target='worksheets/s.xml'/><Relationship Id='2' Type='x/worksheet'"
                                + " Target='worksheets/s.xml'/><Relationship Id='3' Type='x/styles' Target='styles.xml'/>"
                                + "<Relationship Id='4' Type='x/sharedStrings' Target='strings.xml'/></Relationships>",
                        "xl/strings.xml",
                        "<sst><si><t>Day</t></si><si><r><t>Sha</t></r><r><t>re</t></r></si></sst>",
                        "xl/styles.xml",
                        "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='0.0%'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/>"
                                + "<xf numFmtId='164'/><xf numFmtId='22'/></cellXfs></styleSheet>",
                        "xl/worksheets/s.xml",
                        "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row>"
                                + "<row r='2'><c r='A2' s='1'><v>46356</v></c><c r='B2' s='2'><v>0.125</v></c></row>"
                                + "<row r='3'><c r='A3' s='3'><v>46356.5</v></c><c r='B3'><f>SUM(B2)</f></c></row>"
                                + "<row r='9'><c r='C9' t='inlineStr'><is><t>Alone</t></is></c></row></sheetData></worksheet>"));

        assertThat(text(file))
                .isEqualTo(
                        "# Costs\n\n| Day | Share |\n|---|---|\n| 2026-11-30 | 12.5% |\n| 2026-11-30 12:00 |\n\nAlone");
        assertThat(documents.get(0).places())
                .extracting(Place::location)
                .containsExactly(
                        Location.cells("Costs", "A1:B1"),
                        Location.cells("Costs", "A2:B2"),
                        Location.cells("Costs", "A3"),
                        Location.cells("Costs", "C9"));
    }

    @Test
    void slidesComeInTheOrderOfThePresentation() throws IOException {
        Path file = zip(
                "a.pptx",
                Map.of(
                        "ppt/presentation.xml",
                        "<p xmlns:r='http://x/relationships'><sldId r:id='b'/><sldId r:id='a'/></p>",
                        "ppt/_rels/presentation.xml.rels",
                        "<R><Relationship Id='a' Type='x/slide' Target='slides/1.xml'/><Relationship Id='b' Type='x/slide' Target='/ppt/slides/2.xml'/></R>",
                        "ppt/slides/1.xml",
                        slide("Last"),
                        "ppt/slides/2.xml",
                        slide("First")));

        assertThat(text(file)).isEqualTo("# First\n\n# Last");
        assertThat(documents.get(0).places())
                .containsExactly(new Place(0, Location.pages(1, 1)), new Place(9, Location.pages(2, 2)));
    }

    private static String slide(String title) {
        return "<sld><sp><ph type='title'/><p><t>" + title
                + "</t></p></sp><sp><ph type='sldNum'/><p><t>7</t></p></sp></sld>";
    }

    @Test
    void columnsOfAPageAreReadOneAfterTheOther() throws IOException {
        Path file = folder.resolve("a.pdf");
        String[] words = {"", "pumps", "valves", "gauges"};
        PdfFonts.without(() -> {
            try (PDDocument document = new PDDocument()) {
                for (int number = 1; number <= 3; number++) {
                    PDPage page = new PDPage(PDRectangle.A4);
                    document.addPage(page);
                    try (PDPageContentStream out = new PDPageContentStream(document, page)) {
                        line(out, 72, 800, "Report of the year, page " + number);
                        for (int i = 0; i < 4; i++) {
                            line(out, 320, 700 - 14 * i, "right column line " + i + " about " + words[number]);
                            line(out, 72, 700 - 14 * i, "left column line " + i + " about " + words[number]);
                        }
                    }
                }
                document.save(file.toFile());
            }
        });

        String text = text(file);
        assertThat(text).doesNotContain("Report of the year");
        assertThat(text.replace('\n', ' '))
                .startsWith(
                        "left column line 0 about pumps left column line 1 about pumps left column line 2 about pumps left column line 3")
                .containsSubsequence(
                        "left column line 3 about valves",
                        "right column line 0 about valves",
                        "left column line 0 about gauges");
        assertThat(documents.get(0).metadata()).containsEntry("pages", "3");
    }

    private static void line(PDPageContentStream out, float x, float y, String text) throws IOException {
        out.beginText();
        out.setFont(new PDType1Font(Standard14Fonts.FontName.HELVETICA), 10);
        out.newLineAtOffset(x, y);
        out.showText(text);
        out.endText();
    }

    @Test
    void navigationAndHiddenPartsOfAPageAreLeftOut() throws IOException {
        Path file = Files.writeString(
                folder.resolve("a.html"),
                "<html lang=de><title>T</title><body><nav>Menu</nav><h1>A &lt;b&gt;</h1>\n<p style='display: none'>secret</p>"
                        + "<p>One_two *three* &amp; `four`.<br>Next.</p>\n<ol><li>x<ul><li>y</ul><li>z</ol><pre>a\n  b</pre>"
                        + "<div class='share-links'>Share</div><table><tr><th>k<th>v<tr><td>1<td>2</table></body></html>");

        assertThat(text(file))
                .isEqualTo(
                        "# A \\<b>\n\nOne_two \\*three\\* & \\`four\\`.\nNext.\n\n1. x\n   - y\n2. z\n\n```\na\n  b\n```\n\n"
                                + "| k | v |\n|---|---|\n| 1 | 2 |");
        assertThat(documents.get(0).metadata()).containsExactly(Map.entry("language", "de"), Map.entry("title", "T"));
    }

    @Test
    void anIndexOfLinksIsReadAsItIs() throws IOException {
        Path file =
                Files.writeString(folder.resolve("a.html"), "<ul><li><a href=a>Owls</a><li><a href=b>Horses</a></ul>");

        assertThat(text(file)).isEqualTo("- Owls\n- Horses");
    }

    @Test
    void mailHasItsFieldsItsTextOnceAndItsAttachments() throws IOException {
        Path file = Files.writeString(
                folder.resolve("a.eml"),
                "From: =?iso-8859-1?q?J=F6rg?= <j@example.org>\r\nTo: a@b.c,\r\n d@e.f\r\nSubject: =?utf-8?b?w4Q=?=\r\n =?utf-8?b?w5Y=?=\r\n"
                        + "Date: Mon, 30 Nov 2026 09:15:00 +0100 (CET)\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
                        + "Content-Type: multipart/alternative; boundary=\"y\"\r\n\r\n--y\r\n\r\nplain words\r\n--y\r\nContent-Type: text/html\r\n\r\n"
                        + "<p>html words\r\n--y--\r\n--x\r\nContent-Type: text/plain; name=\"n.txt\"\r\n\r\nattached\r\n--x\r\n"
                        + "Content-Type: image/png\r\nContent-Disposition: attachment; filename*0*=utf-8''%C3%BC; filename*1=.png\r\n\r\nx\r\n--x--\r\n",
                ISO_8859_1);

        assertThat(text(file)).isEqualTo("plain words\n\n## n.txt\n\nattached");
        assertThat(documents.get(0).metadata())
                .containsEntry("author", "Jörg <j@example.org>")
                .containsEntry("to", "a@b.c, d@e.f")
                .containsEntry("title", "ÄÖ")
                .containsEntry("date", "2026-11-30T08:15:00Z")
                .containsEntry("attachments", "n.txt, ü.png");
    }

    @Test
    void richTextHasItsCodePageItsTablesAndNoHiddenText() throws IOException {
        Path file = Files.writeString(
                folder.resolve("a.rtf"),
                "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fcharset204 Arial;}{\\f1 Times;}}{\\stylesheet{\\s1\\outlinelevel0 heading 1;}}"
                        + "{\\info{\\title T}}\\pard\\s1 \\f0\\'cc\\'e8\\'f0\\par\\pard\\f1 \\'80 \\u8211?{\\v no} \\{x\\}\\par"
                        + "\\trowd\\intbl a\\cell b\\cell\\row\\trowd\\intbl 1\\cell 2\\cell\\row\\pard end\\par}",
                ISO_8859_1);

        assertThat(text(file)).isEqualTo("# Мир\n\n€ – {x}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nend");
        assertThat(documents.get(0).metadata()).containsExactly(Map.entry("title", "T"));
    }

    @Test
    void chaptersComeInTheOrderOfTheSpine() throws IOException {
        Path file = zip(
                "a.epub",
                Map.of(
                        "META-INF/container.xml",
                        "<container><rootfile full-path='O/p.opf'/></container>",
                        "O/p.opf",
                        "<package><metadata><title>Book</title></metadata><manifest><item id='n' href='n.xhtml' media-type='application/xhtml+xml'"
                                + " properties='nav'/><item id='a' href='a%20a.xhtml' media-type='application/xhtml+xml'/><item id='b' href='../b.xhtml'"
                                + " media-type='application/xhtml+xml'/></manifest><spine><itemref idref='n'/><itemref idref='b'/><itemref idref='a'/></spine></package>",
                        "O/n.xhtml",
                        "<p>contents</p>",
                        "O/a a.xhtml",
                        "<h1>Two</h1>",
                        "b.xhtml",
                        "<h1>One</h1>"));

        assertThat(text(file)).isEqualTo("# One\n\n# Two");
        assertThat(documents.get(0).metadata()).containsExactly(Map.entry("title", "Book"));
    }

    @Test
    void whatCannotBeReadHasAReason() throws IOException {
        assertThat(reason("a.pdf", "x")).isEqualTo("is not PDF by its content");
        assertThat(reason("b.docx", "x")).isEqualTo("is not DOCX by its content");
        assertThat(reason("c.docx", "PKx")).isEqualTo("is a damaged archive");
        assertThat(reason("d.rtf", "x")).isEqualTo("is not RTF by its content");
        assertThat(reason("e.eml", "\n\nx")).isEqualTo("is no mail: it has no header");
        assertThat(reason("f.html", "<p> ")).isEqualTo("has no text");
        assertThat(reason("g.pdf", "")).isEqualTo("is an empty file");
        assertThat(reason("h.docx", "\u00D0\u00CF\u0011\u00E0\u00A1\u00B1\u001A\u00E1"))
                .isEqualTo("is encrypted, or in the format of Office 97; save it without a password as DOCX");
        read(zip("i.docx", Map.of("x", "y")));
        assertThat(skipped.get(0)).isEqualTo("is a damaged archive: it has no word/document.xml");
    }

    @Test
    void entitiesAreNotExpanded() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "secret");
        Path file = zip(
                "a.odt",
                Map.of(
                        "content.xml",
                        "<!DOCTYPE a [<!ENTITY e SYSTEM '" + secret.toUri()
                                + "'>]><a xmlns:t='t'><t:p>before &e; after</t:p></a>"));
        read(file);

        assertThat(documents.toString()).doesNotContain("secret");
        assertThat(documents.size() + skipped.size()).isEqualTo(1);
    }

    @Test
    void limitsHaveMessages() throws IOException {
        Path file = Files.writeString(folder.resolve("a.html"), "<p>" + "word ".repeat(100));
        ReaderOptions options = ReaderOptions.builder().maxCharacters(100).build();
        DocumentFileReader.create(options).read(new SourceFile(file, "a.html", ""), sink());

        assertThat(skipped).containsExactly("has more than 100 characters of text");
        assertThatThrownBy(() -> ReaderOptions.builder().maxDepth(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxDepth must be in [1, 10000] but was 0");
        assertThat(ReaderOptions.builder().build())
                .isEqualTo(ReaderOptions.DEFAULTS)
                .hasToString(ReaderOptions.DEFAULTS.toString());
    }

    private String reason(String name, String content) throws IOException {
        skipped.clear();
        read(Files.writeString(folder.resolve(name), content, ISO_8859_1));
        return skipped.get(0);
    }

    private String text(Path file) {
        read(file);
        assertThat(skipped).isEmpty();
        return documents.get(0).text();
    }

    private void read(Path file) {
        documents.clear();
        skipped.clear();
        DocumentFileReader.create().read(new SourceFile(file, String.valueOf(file.getFileName()), ""), sink());
    }

    private Path zip(String name, Map<String, String> entries) throws IOException {
        Path file = folder.resolve(name);
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Map.Entry<String, String> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue().getBytes(UTF_8));
                zip.closeEntry();
            }
        }
        return file;
    }

    private DocumentSink sink() {
        return new DocumentSink() {
            @Override
            public void expect(long count) {}

            @Override
            public void document(Document document) {
                documents.add(document);
            }

            @Override
            public void skipped(String id, String reason) {
                skipped.add(reason);
            }

            @Override
            public void unread(String id, String kind, String reason) {}

            @Override
            public void notice(String id, String message) {}
        };
    }
}
